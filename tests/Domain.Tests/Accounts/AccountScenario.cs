using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Words for scenarios of an account.</summary>
static class AccountScenario
{
    public static readonly Guid Email = Name(1);
    public static readonly Guid Password = Name(2);
    public static readonly Guid Other = Name(3);

    /// <summary>The id of a passkey.</summary>
    public static readonly Guid Phone = Name(4);

    public static readonly AccountEvent Registered = new AccountRegistered(Email, Password, ["user"], false);

    public static readonly PasskeyCredential Credential = new([1], [2], "Laptop", ["internal"], true, false, false);

    /// <summary>One sample of every command.</summary>
    public static readonly AccountCommand[] Commands =
    [
        new RegisterAccount("a@example.org", "hash", ["user"], false),
        new VerifyEmail(Email, Password),
        new ChangePassword("hash", Password, PasswordMeans.Change, null),
        new EndSessions(null),
        new SetAccountRoles(["author"]),
        new SetAccountDisabled(true),
        new DeleteAccount(),
        new NoteFailedLogin("password"),
        new EnrollTotp([1]),
        new ConfirmTotp("123456"),
        new RemoveTotp(),
        new SpendFactor(SpendFactor.Totp, "123456"),
        new IssueRecoveryCodes(["hash"]),
        new AddPasskey(Credential, 0),
        new UsePasskey(Phone, 1),
        new RemovePasskey(Phone),
    ];

    public static Account After(IEnumerable<AccountEvent> given) =>
        Outcome.After<Account, AccountEvent>(given, Account.Evolve).State!;

    public static Decision<AccountEvent> When(
        IEnumerable<AccountEvent> given,
        AccountCommand command,
        AccountFacts? facts = null
    )
    {
        var (state, version) = Outcome.After<Account, AccountEvent>(given, Account.Evolve);
        return Account.Decide(state, command, new(Outcome.Context(version), facts ?? AccountFacts.None));
    }

    static Guid Name(int number) => new(number, 0, 0, new byte[8]);
}
