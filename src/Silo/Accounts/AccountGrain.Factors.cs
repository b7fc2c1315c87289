using System.Text.Json;
using OtpNet;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>The account's factors: the facts for their decisions, from the vault, the directory and the clock.</summary>
sealed partial class AccountGrain
{
    /// <summary>One time step back, for a code that expires while its owner types it.</summary>
    static readonly VerificationWindow Window = new(previous: 1, future: 0);

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

    async Task<AccountFacts> KeepAsync(byte[] secret) => new(Secret: await vault.KeepAsync(Id, secret));

    async Task<AccountFacts> ClaimAsync(PasskeyCredential credential) =>
        await directory.ClaimPasskeyAsync(credential.Id, Id) == Id
            ? await KeepAsync(Json(credential)) with
            {
                Passkey = directory.PasskeyId(credential.Id),
            }
            : AccountFacts.None;

    async Task<AccountFacts> MatchAsync(SpendFactor command) =>
        command.Method switch
        {
            SpendFactor.Totp => await MatchTotpAsync(command.Code),
            SpendFactor.RecoveryCode => await MatchRecoveryCodeAsync(command.Code),
            _ => AccountFacts.None,
        };

    /// <summary>Accepts exactly six digits: a sign or a space does not count as part of a number.</summary>
    async Task<AccountFacts> MatchTotpAsync(string code)
    {
        if (
            code.Length is not 6
            || !code.All(char.IsAsciiDigit)
            || (await Current()).Value?.Factors.TotpSecret is not { } secret
            || !(await vault.OpenAsync(secret)).TryGetValue(secret, out var key)
            || !new Totp(key).VerifyTotp(Now.UtcDateTime, code, out var step, Window)
        )
            return AccountFacts.None;
        return new(Code: new(secret, step));
    }

    async Task<AccountFacts> MatchRecoveryCodeAsync(string code)
    {
        if (
            (await Current()).Value?.Factors.RecoveryCodes is not { } codes
            || !(await vault.OpenAsync(codes)).TryGetValue(codes, out var kept)
        )
            return AccountFacts.None;
        var index = Array.IndexOf(JsonSerializer.Deserialize<string[]>(kept)!, RecoveryCodes.Hash(code));
        return index < 0 ? AccountFacts.None : new(Code: new(codes, index));
    }

    async Task<Reply<Account>> RemovePasskeyAsync(RemovePasskey command, Intent intent)
    {
        var known = (await GetPasskeys()).FirstOrDefault(known => known.Passkey.Id == command.Passkey);
        var reply = await DecideAsync(command, intent);
        if (reply.Rejection is null && known is not null)
            await directory.ReleasePasskeyAsync(known.Credential.Id, Id);
        return reply;
    }

    /// <summary>Records a failed login when a factor was refused.</summary>
    async Task<Reply<Account>> NoteAsync(string factor, Reply<Account> reply, Intent intent)
    {
        if (reply.Rejection is not null)
            await DecideAsync(new NoteFailedLogin(factor), intent with { CommandId = Guid.CreateVersion7() });
        return reply;
    }

    static byte[] Json<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value);
}
