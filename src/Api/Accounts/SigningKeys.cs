using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;
using Npgsql;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The ES256 keys that all nodes share. The newest signs, all verify.</summary>
public sealed class SigningKeys(NpgsqlDataSource database, MasterKey master)
{
    volatile ECDsaSecurityKey[] keys = [];

    /// <summary>Every key, newest first.</summary>
    public IReadOnlyList<SecurityKey> All => keys;

    /// <summary>The key that signs.</summary>
    public SigningCredentials Newest => new(keys[0], SecurityAlgorithms.EcdsaSha256);

    /// <summary>Reads the keys; the first node to come makes one.</summary>
    /// <exception cref="ConfigurationException">The master key is not the one that the keys were encrypted with.</exception>
    public async Task LoadAsync(CancellationToken ct)
    {
        if (await ReadAsync(ct) is []) await CreateAsync(ct);
        keys = [.. (await ReadAsync(ct)).Select(row => Open(row.Kid, row.Protected))];
    }

    async Task CreateAsync(CancellationToken ct)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var kid = Guid.CreateVersion7().ToString("N");
        // Nodes that start together agree on one: the table lock lets only the first insert into an empty table.
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var alone = new NpgsqlCommand("lock table signing_keys in share row exclusive mode", connection, transaction)) await alone.ExecuteNonQueryAsync(ct);
        await using var insert = new NpgsqlCommand(
            "insert into signing_keys (kid, protected_key) select $1, $2 where not exists (select from signing_keys)", connection, transaction);
        insert.Parameters.Add(new NpgsqlParameter<string> { TypedValue = kid });
        insert.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = master.Protect(key.ExportPkcs8PrivateKey(), kid) });
        await insert.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }

    async Task<List<(string Kid, byte[] Protected)>> ReadAsync(CancellationToken ct)
    {
        await using var command = database.CreateCommand("select kid, protected_key from signing_keys order by created_at desc, kid desc");
        var found = new List<(string, byte[])>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) found.Add((row.GetString(0), row.GetFieldValue<byte[]>(1)));
        return found;
    }

    ECDsaSecurityKey Open(string kid, byte[] sealedKey)
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(master.Unprotect(sealedKey, kid), out _);
        return new(key) { KeyId = kid };
    }
}
