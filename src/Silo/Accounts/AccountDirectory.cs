using System.Security.Cryptography;
using System.Text;
using Npgsql;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>Which account an e-mail address belongs to. Addresses are known by keyed digests only.</summary>
public sealed class AccountDirectory(NpgsqlDataSource database, StoreContact contact, MasterKey master)
{
    readonly byte[] key = master.Derive("e-mail addresses");

    /// <summary>The form in which addresses are kept and compared.</summary>
    public static string Normalize(string email) => email.Trim().ToLowerInvariant();

    /// <summary>The account of an address; null when there is none. It may have been claimed for an account that was never made.</summary>
    public Task<Guid?> FindAsync(string email) => ReadAsync("select account from account_emails where digest = $1", email);

    /// <summary>Claims an address; returns the account that has it now, the given one or an earlier one.</summary>
    public async Task<Guid> ClaimAsync(string email, Guid account) =>
        (await ReadAsync("insert into account_emails (digest, account) values ($1, $2) on conflict (digest) do update set account = account_emails.account returning account", email, account))!.Value;

    /// <summary>Frees the addresses of an account that is deleted.</summary>
    public Task ReleaseAsync(Guid account) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("delete from account_emails where account = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = account });
        return await command.ExecuteNonQueryAsync(ct);
    });

    Task<Guid?> ReadAsync(string sql, string email, Guid? account = null) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(Normalize(email))) });
        if (account is { } id) command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return await command.ExecuteScalarAsync(ct) as Guid?;
    });
}
