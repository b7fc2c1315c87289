using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>What an account lets happen to it.</summary>
public class AccountDecisions
{
    static readonly Guid Email = Guid.CreateVersion7(),
        First = Guid.CreateVersion7(),
        Last = Guid.CreateVersion7();

    [Fact]
    public void An_address_is_verified_with_the_password_that_was_registered_last()
    {
        var account = Told(
            new AccountRegistered(Email, First, ["user"], EmailVerified: false),
            new AccountPasswordChanged(Last, "registration", null)
        );
        Assert.Equal([new AccountEmailVerified()], Decide(account, new VerifyEmail(Email, Last)).Events);
        // Told before somebody else has registered, and arriving after.
        Assert.Equal(Refusal.TokenSpent, Decide(account, new VerifyEmail(Email, First)).Rejection?.Kind);
        Assert.Equal(Refusal.TokenSpent, Decide(account, new VerifyEmail(Guid.CreateVersion7(), Last)).Rejection?.Kind);
    }

    [Fact]
    public void A_verified_address_stays_so_and_its_password_is_not_changed_by_registering_again()
    {
        var account = Told(new AccountRegistered(Email, First, ["user"], EmailVerified: true));
        Assert.Empty(Decide(account, new VerifyEmail(Email, Last)).Events);
        Assert.Equal(
            Refusal.AlreadyExists,
            Decide(account, new ChangePassword("hash", First, PasswordMeans.Registration, null)).Rejection?.Kind
        );
    }

    static Decision<AccountEvent> Decide(Account account, AccountCommand command) =>
        Account.Decide(account, command, new(new(2, Story.By(Story.Alice), Story.At(2)), new(Secret: Last)));

    static Account Told(params AccountEvent[] events) =>
        events
            .Select((told, i) => new Recorded<AccountEvent>(told, i + 1, i + 1, DateTimeOffset.UnixEpoch, ""))
            .Aggregate((Account?)null, Account.Evolve)!;
}
