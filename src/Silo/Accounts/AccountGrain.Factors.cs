using System.Text.Json;
using OtpNet;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>The factors of an account, with their secrets.</summary>
sealed partial class AccountGrain
{
    /// <summary>One step back: for a code that was read as its time ran out.</summary>
    static readonly VerificationWindow Window = new(previous: 1, future: 0);

    public Task<Reply<Account>> EnrollTotp(byte[] secret, Intent intent) =>
        KeepAsync(secret, name => new EnrollTotp(name), factors => factors.TotpSecret, intent);

    public async Task<Reply<Account>> ConfirmTotp(string code, Intent intent)
    {
        if ((await Current()).Value is not { Deleted: false, Factors.TotpSecret: { } secret })
            return Refused(Refusal.NoFactor, "No secret for one-time codes was shown yet.");
        return await StepOfAsync(secret, code) is { } step
            ? await DecideAsync(new ConfirmTotp(secret, step), intent)
            : Refused(Refusal.FactorFailed, "The code is wrong.");
    }

    public async Task<Reply<Account>> RemoveTotp(Intent intent)
    {
        var secret = (await Current()).Value?.Factors.TotpSecret;
        var reply = await DecideAsync(new RemoveTotp(), intent);
        if (reply.Rejection is null && secret is { } unused)
            await vault.DropAsync(unused);
        return reply;
    }

    public async Task<Reply<Account>> Spend(string method, string code, Intent intent)
    {
        if ((await Current()).Value is not { Deleted: false } account)
            return Reply<Account>.Refused(Account.None);
        var command = (method, account.Factors) switch
        {
            ("totp", { TotpConfirmed: true, TotpSecret: { } secret }) => await StepOfAsync(secret, code) is { } step
                ? new AcceptTotp(secret, step)
                : null,
            ("recovery_code", { RecoveryCodes: { } codes }) => await IndexOfAsync(codes, code) is { } index
                ? new UseRecoveryCode(codes, index)
                : (FactorCommand?)null,
            _ => null,
        };
        var reply = command is null
            ? Refused(Refusal.FactorFailed, "The second factor is wrong, or was used already.")
            : await DecideAsync(command, intent);
        if (reply.Rejection is not null)
            await NoteAsync(method, intent);
        return reply;
    }

    public Task<Reply<Account>> IssueRecoveryCodes(string[] hashes, Intent intent) =>
        KeepAsync(
            JsonSerializer.SerializeToUtf8Bytes(hashes),
            name => new IssueRecoveryCodes(name, hashes.Length),
            factors => factors.RecoveryCodes,
            intent
        );

    public async Task<KnownPasskey[]> GetPasskeys()
    {
        if ((await Current()).Value?.Factors.Passkeys is not { Length: > 0 } passkeys)
            return [];
        var secrets = await vault.OpenAsync([.. passkeys.Select(passkey => passkey.Secret)]);
        return
        [
            .. passkeys
                .Where(passkey => secrets.ContainsKey(passkey.Secret))
                .Select(passkey => new KnownPasskey(
                    passkey,
                    JsonSerializer.Deserialize<PasskeyCredential>(secrets[passkey.Secret])!
                )),
        ];
    }

    public async Task<Reply<Account>> AddPasskey(PasskeyCredential credential, long signCount, Intent intent)
    {
        if (await directory.ClaimPasskeyAsync(credential.Id, Id) != Id)
            return Refused(Refusal.AlreadyExists, "This passkey is registered already.");
        var id = directory.PasskeyId(credential.Id);
        return await KeepAsync(
            JsonSerializer.SerializeToUtf8Bytes(credential),
            name => new AddPasskey(id, name, signCount),
            factors => factors.Passkeys.FirstOrDefault(passkey => passkey.Id == id)?.Secret,
            intent
        );
    }

    public async Task<Reply<Account>> UsePasskey(Guid passkey, long signCount, Intent intent)
    {
        var reply = await DecideAsync(new UsePasskey(passkey, signCount), intent);
        if (reply.Rejection is not null)
            await NoteAsync("passkey", intent);
        return reply;
    }

    public async Task<Reply<Account>> RemovePasskey(Guid passkey, Intent intent)
    {
        var known = (await GetPasskeys()).FirstOrDefault(known => known.Passkey.Id == passkey);
        var reply = await DecideAsync(new RemovePasskey(passkey), intent);
        if (reply.Rejection is null && known is not null)
        {
            await directory.ReleasePasskeyAsync(known.Credential.Id, Id);
            await vault.DropAsync(known.Passkey.Secret);
        }
        return reply;
    }

    /// <summary>
    /// Keeps a secret and decides what names it; of the new one and that before it, the one that is not named in the
    /// end is forgotten.
    /// </summary>
    /// <param name="named">Where the factors name it.</param>
    async Task<Reply<Account>> KeepAsync(
        byte[] secret,
        Func<Guid, FactorCommand> command,
        Func<Factors, Guid?> named,
        Intent intent
    )
    {
        var before = (await Current()).Value is { } account ? named(account.Factors) : null;
        var name = await vault.KeepAsync(Id, secret);
        var reply = await DecideAsync(command(name), intent);
        // Refused, or sent again and done the first time, by another name.
        if (reply.Value is not { } changed || named(changed.Factors) != name)
            await vault.DropAsync(name);
        else if (before is { } unused)
            await vault.DropAsync(unused);
        return reply;
    }

    Task NoteAsync(string factor, Intent intent) =>
        NoteFailedLogin(factor, intent with { CommandId = Guid.CreateVersion7() });

    /// <summary>
    /// The step of time that a code is of; null when it is of none that counts. Exactly six digits: no sign and no
    /// space is taken for part of a number.
    /// </summary>
    async Task<long?> StepOfAsync(Guid secret, string code)
    {
        if (
            code.Length is not 6
            || !code.All(char.IsAsciiDigit)
            || !(await vault.OpenAsync(secret)).TryGetValue(secret, out var key)
        )
            return null;
        return new Totp(key).VerifyTotp(time.GetUtcNow().UtcDateTime, code, out var step, Window) ? step : null;
    }

    async Task<int?> IndexOfAsync(Guid codes, string code)
    {
        if (!(await vault.OpenAsync(codes)).TryGetValue(codes, out var kept))
            return null;
        var index = Array.IndexOf(JsonSerializer.Deserialize<string[]>(kept)!, RecoveryCodes.Hash(code));
        return index < 0 ? null : index;
    }

    static Reply<Account> Refused(Refusal kind, string detail) => Reply<Account>.Refused(new(kind, detail));
}
