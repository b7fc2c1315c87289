using System.Diagnostics;

namespace Resources.Grains;

/// <summary>An account at a version: a pure function of its events.</summary>
/// <param name="Email">The name in the vault of its e-mail address.</param>
/// <param name="Password">The name in the vault of its password hash; null until the owner has set one.</param>
/// <param name="Factors">The factors that the owner has beside the password.</param>
/// <param name="SessionsEnded">
/// The version at which all sessions except <paramref name="KeptSession"/> ended; later sessions are valid.
/// </param>
[GenerateSerializer, Immutable, Alias("account-state")]
public sealed record Account(
    Guid Email,
    Guid? Password,
    string[] Roles,
    bool EmailVerified,
    bool Disabled,
    bool Deleted,
    long SessionsEnded,
    Guid? KeptSession,
    DateTimeOffset CreatedAt,
    Factors Factors
)
{
    /// <summary>Whether its owner may have sessions.</summary>
    public bool IsActive => !Disabled && !Deleted;

    /// <summary>Whether a session may go on that began when the account was at version <paramref name="begun"/>.</summary>
    public bool Allows(Guid session, long begun) => IsActive && (begun >= SessionsEnded || session == KeptSession);

    /// <summary>The names in the vault of all secrets that the account uses.</summary>
    public IEnumerable<Guid> Secrets() => new[] { Email, Password }.OfType<Guid>().Concat(Factors.Secrets());

    public static Account Evolve(Account? state, Recorded<AccountEvent> recorded) =>
        recorded.Data switch
        {
            AccountRegistered e => new(
                e.Email,
                e.Password,
                e.Roles,
                e.EmailVerified,
                false,
                false,
                0,
                null,
                recorded.At,
                Factors.None
            ),
            AccountEmailVerified => state! with { EmailVerified = true },
            AccountPasswordChanged { Means: "rehash" } e => state! with { Password = e.Password },
            AccountPasswordChanged e => state! with
            {
                Password = e.Password,
                SessionsEnded = recorded.Version,
                KeptSession = e.KeptSession,
            },
            AccountSessionsEnded e => state! with { SessionsEnded = recorded.Version, KeptSession = e.KeptSession },
            AccountRolesChanged e => state! with { Roles = e.Roles },
            AccountDisabled => state! with { Disabled = true, SessionsEnded = recorded.Version, KeptSession = null },
            AccountEnabled => state! with { Disabled = false },
            AccountDeleted => state! with
            {
                Deleted = true,
                Roles = [],
                Password = null,
                Factors = Factors.None,
                SessionsEnded = recorded.Version,
                KeptSession = null,
            },
            AccountLoginFailed => state!,
            FactorEvent => state! with { Factors = Factors.Evolve(state.Factors, recorded) },
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };

    public static Decision<AccountEvent> Decide(Account? state, AccountCommand command, AccountContext context) =>
        (state, command) switch
        {
            (null, RegisterAccount c) =>
            [
                new AccountRegistered(context.Facts.Email!.Value, context.Facts.Secret, c.Roles, c.EmailVerified),
            ],
            (null or { Deleted: true }, _) => None,
            (_, RegisterAccount) => Taken,
            (_, VerifyEmail c) when c.Email != state.Email => new Rejection(
                Refusal.TokenSpent,
                "The token is not good any more."
            ),
            (_, VerifyEmail) when state.EmailVerified => [],
            (_, VerifyEmail c) when c.Password != state.Password => new Rejection(
                Refusal.TokenSpent,
                "Somebody has registered with this address meanwhile."
            ),
            (_, VerifyEmail) => [new AccountEmailVerified()],
            (_, ChangePassword c) when c.Replaces != state.Password => new Rejection(
                Refusal.TokenSpent,
                "The password was changed meanwhile."
            ),
            (_, ChangePassword { Means: PasswordMeans.Registration }) when state.EmailVerified => Taken,
            // A reset link in a mail also verifies the address.
            (_, ChangePassword { Means: PasswordMeans.Reset }) when !state.EmailVerified =>
            [
                new AccountPasswordChanged(context.Facts.Secret!.Value, "reset", null),
                new AccountEmailVerified(),
            ],
            (_, ChangePassword c) =>
            [
                new AccountPasswordChanged(
                    context.Facts.Secret!.Value,
                    c.Means.ToString().ToLowerInvariant(),
                    c.KeptSession
                ),
            ],
            (_, EndSessions c) => [new AccountSessionsEnded(c.Kept)],
            (_, SetAccountRoles c) => c
                .Roles.Order(StringComparer.Ordinal)
                .SequenceEqual(state.Roles.Order(StringComparer.Ordinal))
                ? []
                : [new AccountRolesChanged(c.Roles)],
            (_, SetAccountDisabled { Disabled: true }) => state.Disabled ? [] : [new AccountDisabled()],
            (_, SetAccountDisabled { Disabled: false }) => state.Disabled ? [new AccountEnabled()] : [],
            (_, DeleteAccount) => [new AccountDeleted()],
            (_, NoteFailedLogin c) => [new AccountLoginFailed(c.Factor)],
            (_, FactorCommand c) => Factors.Decide(state.Factors, c, context),
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

    /// <summary>The rejection when the account does not exist or was deleted.</summary>
    public static readonly Rejection None = new(Refusal.AccountNotFound, "There is no such account.");

    static readonly Rejection Taken = new(Refusal.AlreadyExists, "This e-mail address has an account.");
}
