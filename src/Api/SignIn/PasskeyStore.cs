using Microsoft.AspNetCore.Identity;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>An account in a passkey ceremony.</summary>
public sealed record PasskeyUser(Guid Id, IReadOnlyList<KnownPasskey> Passkeys);

/// <summary>
/// A read-only view of our accounts for the ceremonies of ASP.NET Core Identity. Only the account's grain writes their
/// results.
/// </summary>
public sealed class PasskeyStore(AccountDirectory directory, IClusterClient cluster) : IUserPasskeyStore<PasskeyUser>
{
    public async Task<PasskeyUser?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        Ids.TryParse(userId, out var id) ? await FindAsync(id) : null;

    public async Task<PasskeyUser?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        await directory.FindPasskeyAsync(credentialId) is { } account
        && await FindAsync(account) is { } user
        && Find(user, credentialId) is not null
            ? user
            : null;

    public Task<UserPasskeyInfo?> FindPasskeyAsync(
        PasskeyUser user,
        byte[] credentialId,
        CancellationToken cancellationToken
    ) => Task.FromResult(Find(user, credentialId) is { } known ? Info(known) : null);

    public Task<IList<UserPasskeyInfo>> GetPasskeysAsync(PasskeyUser user, CancellationToken cancellationToken) =>
        Task.FromResult<IList<UserPasskeyInfo>>([.. user.Passkeys.Select(Info)]);

    public Task<string> GetUserIdAsync(PasskeyUser user, CancellationToken cancellationToken) =>
        Task.FromResult(user.Id.ToString());

    public Task<string?> GetUserNameAsync(PasskeyUser user, CancellationToken cancellationToken) =>
        Task.FromResult<string?>(user.Id.ToString());

    public Task<string?> GetNormalizedUserNameAsync(PasskeyUser user, CancellationToken cancellationToken) =>
        GetUserNameAsync(user, cancellationToken);

    public Task<PasskeyUser?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) =>
        FindByIdAsync(normalizedUserName, cancellationToken);

    public Task AddOrUpdatePasskeyAsync(
        PasskeyUser user,
        UserPasskeyInfo passkey,
        CancellationToken cancellationToken
    ) => throw ReadOnly();

    public Task RemovePasskeyAsync(PasskeyUser user, byte[] credentialId, CancellationToken cancellationToken) =>
        throw ReadOnly();

    public Task SetUserNameAsync(PasskeyUser user, string? userName, CancellationToken cancellationToken) =>
        throw ReadOnly();

    public Task SetNormalizedUserNameAsync(
        PasskeyUser user,
        string? normalizedName,
        CancellationToken cancellationToken
    ) => throw ReadOnly();

    public Task<IdentityResult> CreateAsync(PasskeyUser user, CancellationToken cancellationToken) => throw ReadOnly();

    public Task<IdentityResult> UpdateAsync(PasskeyUser user, CancellationToken cancellationToken) => throw ReadOnly();

    public Task<IdentityResult> DeleteAsync(PasskeyUser user, CancellationToken cancellationToken) => throw ReadOnly();

    public void Dispose() { }

    async Task<PasskeyUser?> FindAsync(Guid account)
    {
        var passkeys = await ClusterCalls.ReadAsync(() => cluster.GetGrain<IAccountGrain>(account).GetPasskeys());
        // Not null for an account without passkeys: it may be registering its first.
        return new(account, passkeys);
    }

    static KnownPasskey? Find(PasskeyUser user, byte[] credentialId) =>
        user.Passkeys.FirstOrDefault(known => known.Credential.Id.AsSpan().SequenceEqual(credentialId));

    static UserPasskeyInfo Info(KnownPasskey known) =>
        new(
            known.Credential.Id,
            known.Credential.PublicKey,
            known.Passkey.CreatedAt,
            (uint)known.Passkey.SignCount,
            known.Credential.Transports,
            known.Credential.UserVerified,
            known.Credential.BackupEligible,
            known.Credential.BackedUp,
            [],
            []
        );

    static NotSupportedException ReadOnly() => new("Accounts are written by their grains.");
}
