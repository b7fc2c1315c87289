using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What became of the comparison of a password.</summary>
/// <param name="Owner">The account whose password it is; null when it is wrong, or was not compared.</param>
/// <param name="Refusal">Why it was not compared; null when it was.</param>
public readonly record struct PasswordVerdict(AccountSecrets? Owner, Answer? Refusal);

/// <summary>
/// The one place that compares passwords. Wrong ones count for the account, and for the account at their neighbourhood;
/// those from a browser in which the account has signed in before count for that browser, and those of a session for
/// it and for all sessions of the account. Each is in the audit.
/// </summary>
public sealed class PasswordGuard(
    Accounts accounts,
    AccountDirectory directory,
    Passwords passwords,
    RateLimits limits,
    DeviceCookie devices,
    TimeProvider time,
    ILogger<PasswordGuard> logger
)
{
    /// <summary>How long a guess waits when the account's permits are almost used up. None waits before half are.</summary>
    static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(1);

    /// <summary>Compares the password of a login, and renews a hash that is weaker than today's.</summary>
    /// <param name="email">As given: whether an account has it, no answer tells.</param>
    public async Task<PasswordVerdict> CheckLoginAsync(HttpContext context, string email, string password)
    {
        var device = devices.Read(context.Request);
        passwords.ThrowIfBusy(HashCaller.Of(context, isKnown: device is not null));
        // Only for the browser of an account it is looked up before the limits: the time of a refusal would tell others
        // that it exists.
        var found =
            device is { } named && await directory.FindAsync(email) == named.Account
                ? await FindAsync(named.Account)
                : null;
        var guess = Guess.Of(context, AccountDirectory.Normalize(email), KnownTo(found, device));
        if (await RefusalAsync(context, guess) is { } refusal)
            return new(null, refusal);
        found ??= await accounts.FindAsync(email);
        var check = await CompareAsync(context, guess, found, password);
        if (check is PasswordCheck.RightButOld)
            await accounts
                .Grain(found!.Id)
                .Execute(
                    new ChangePassword(
                        await passwords.HashAsync(password, guess.Caller),
                        found.Account.Password,
                        PasswordMeans.Rehash,
                        null
                    ),
                    context.Intend(found.Id)
                );
        return new(check is PasswordCheck.Wrong ? null : found, null);
    }

    /// <summary>Compares the password of an account that the request has named by a session or a mailed token.</summary>
    public async Task<PasswordVerdict> CheckAsync(HttpContext context, AccountSecrets account, string password)
    {
        var guess =
            Caller.Of(context.User) is { } caller && caller.Account == account.Id
                ? Guess.Of(context, caller)
                : Guess.Of(context, account.Email, KnownTo(account, devices.Read(context.Request)));
        if (await RefusalAsync(context, guess) is { } refusal)
            return new(null, refusal);
        var check = await CompareAsync(context, guess, account, password);
        return new(check is PasswordCheck.Wrong ? null : account, null);
    }

    Task<AccountSecrets?> FindAsync(Guid id) => ClusterCalls.ReadAsync(() => accounts.Grain(id).GetSecrets());

    static Device? KnownTo(AccountSecrets? found, Device? device) =>
        found is not null && device?.IsKnownTo(found.Id, found.Account) is true ? device : null;

    /// <summary>
    /// Takes the permits of a guess, and slows it down when many of the account's are used up. The narrow limit comes
    /// first: what it refuses uses up nothing of the account's.
    /// </summary>
    async Task<Answer?> RefusalAsync(HttpContext context, Guess guess)
    {
        if (await limits.RefusalAsync(context, RateLimits.LoginPair, guess.Pair) is { } narrow)
            return narrow;
        var (refusal, used) = await limits.CountAsync(context, RateLimits.LoginAccount, guess.Account);
        if (refusal is not null)
            return refusal;
        if (used > 0.5)
            await Task.Delay((used - 0.5) * 2 * MaxDelay, time, context.RequestAborted);
        return null;
    }

    async Task<PasswordCheck> CompareAsync(HttpContext context, Guess guess, AccountSecrets? found, string password)
    {
        var check = PasswordCheck.Wrong;
        var isCompared = false;
        try
        {
            check = await passwords.VerifyAsync(found?.PasswordHash, password, guess.Caller);
            isCompared = true;
        }
        finally
        {
            // Right ones do not count, nor do those that the queue has refused.
            if (!isCompared || check is not PasswordCheck.Wrong)
            {
                limits.Refund(RateLimits.LoginPair, guess.Pair);
                limits.Refund(RateLimits.LoginAccount, guess.Account);
            }
        }
        // Not awaited: the time it takes would reveal that the account exists.
        if (check is PasswordCheck.Wrong && found is not null)
            _ = NoteFailureAsync(accounts.Grain(found.Id), context.Intend(found.Id));
        return check;
    }

    async Task NoteFailureAsync(IAccountGrain account, Intent intent)
    {
        try
        {
            await account.Execute(new NoteFailedLogin("password"), intent);
        }
        catch (Exception e)
        {
            logger.LogWarning("A failed login was not recorded: {Reason}", e.Message);
        }
    }

    /// <summary>A password that somebody gives for an account.</summary>
    /// <param name="Pair">What it counts for within the neighbourhood, or in the browser or session.</param>
    /// <param name="Account">What it counts for wherever it comes from, or in the browser, or in all sessions.</param>
    readonly record struct Guess(string Pair, string Account, HashCaller Caller)
    {
        /// <summary>Of somebody who is not signed in, who gives an address.</summary>
        public static Guess Of(HttpContext context, string address, Device? device)
        {
            var caller = HashCaller.Of(context, isKnown: device is not null);
            var account = device is { } known ? $"browser {known.Id}" : $"account {address}";
            return new(device is null ? $"{account} {caller.Neighbourhood}" : account, account, caller);
        }

        /// <summary>Of a session of the account. Who has stolen one has no more guesses by stealing several.</summary>
        public static Guess Of(HttpContext context, Caller caller) =>
            new(
                $"session {caller.Credential}",
                $"account {caller.Account} signed in",
                HashCaller.Of(context, isKnown: true)
            );
    }
}
