using System.Diagnostics;

namespace Resources.Grains;

/// <summary>An account at a version: a pure function of its events.</summary>
/// <param name="Email">The name of its e-mail address in the vault.</param>
/// <param name="Password">The name of its password's hash in the vault; null until its owner has set one.</param>
/// <param name="Factors">What its owner proves to be themselves with, beside the password.</param>
/// <param name="SessionsEnded">
/// The version at which all sessions but <paramref name="KeptSession"/> ended; those begun later are good.
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

    /// <summary>Whether a session that began when the account was at a version may go on.</summary>
    public bool Allows(Guid session, long begun) => IsActive && (begun >= SessionsEnded || session == KeptSession);

    public static Decision<AccountEvent> Decide(Account? state, AccountCommand command) =>
        (state, command) switch
        {
            (null, RegisterAccount c) => [new AccountRegistered(c.Email, c.Password, c.Roles, c.EmailVerified)],
            (null or { Deleted: true }, _) => None,
            (_, RegisterAccount) => new Rejection(Refusal.AlreadyExists, "This e-mail address has an account."),
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
            (_, ChangePassword { Means: PasswordMeans.Registration }) when state.EmailVerified => new Rejection(
                Refusal.AlreadyExists,
                "This e-mail address has an account."
            ),
            // Who opened a link in a mail has proved to read the address.
            (_, ChangePassword { Means: PasswordMeans.Reset } c) when !state.EmailVerified =>
            [
                new AccountPasswordChanged(c.Password, "reset", null),
                new AccountEmailVerified(),
            ],
            (_, ChangePassword c) =>
            [
                new AccountPasswordChanged(c.Password, c.Means.ToString().ToLowerInvariant(), c.KeptSession),
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
            (_, FactorCommand c) => state.Factors.Decide(c),
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

    /// <summary>The refusal where there is no account, or not any more.</summary>
    public static readonly Rejection None = new(Refusal.AccountNotFound, "There is no such account.");

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
            AccountTotpEnrolled
            or AccountTotpConfirmed
            or AccountTotpAccepted
            or AccountTotpRemoved
            or AccountRecoveryCodesIssued
            or AccountRecoveryCodeUsed
            or AccountPasskeyAdded
            or AccountPasskeyUsed
            or AccountPasskeyRemoved => state! with
            {
                Factors = state.Factors.Evolve(recorded),
            },
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };
}

/// <summary>What can be asked of an account, with secrets by their names in the vault.</summary>
public abstract record AccountCommand;

public sealed record RegisterAccount(Guid Email, Guid? Password, string[] Roles, bool EmailVerified) : AccountCommand;

/// <param name="Email">The address that was verified; another one since voids it.</param>
/// <param name="Password">The password that was told with it; a later registration voids it.</param>
public sealed record VerifyEmail(Guid Email, Guid? Password) : AccountCommand;

/// <summary>How a password comes to be changed.</summary>
public enum PasswordMeans
{
    Change,
    Reset,
    Rehash,

    /// <summary>Somebody registers again with an address that nobody has verified yet.</summary>
    Registration,
}

/// <param name="Replaces">The password that it takes the place of: of two at once, one is too late.</param>
public sealed record ChangePassword(Guid Password, Guid? Replaces, PasswordMeans Means, Guid? KeptSession)
    : AccountCommand;

public sealed record EndSessions(Guid? Kept) : AccountCommand;

public sealed record SetAccountRoles(string[] Roles) : AccountCommand;

public sealed record SetAccountDisabled(bool Disabled) : AccountCommand;

public sealed record DeleteAccount : AccountCommand;

public sealed record NoteFailedLogin(string Factor) : AccountCommand;
