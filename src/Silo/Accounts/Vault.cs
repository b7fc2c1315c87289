using System.Text;
using Npgsql;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// Secrets of accounts, encrypted, each with a name that events carry in its place. A secret never changes: another one
/// has another name.
/// </summary>
public sealed class Vault(NpgsqlDataSource database, StoreContact contact, MasterKey master)
{
    /// <summary>Keeps a secret; returns its name.</summary>
    /// <param name="subject">Whose it is: with the account it is forgotten.</param>
    public Task<Guid> KeepAsync(Guid subject, string secret) => KeepAsync(subject, Encoding.UTF8.GetBytes(secret));

    /// <inheritdoc cref="KeepAsync(Guid, string)"/>
    public async Task<Guid> KeepAsync(Guid subject, byte[] secret)
    {
        var id = Guid.CreateVersion7();
        var kept = master.Protect(secret, Purpose(id, subject));
        await contact.WhileAvailableAsync(async ct =>
        {
            await using var command = database.CreateCommand(
                "insert into vault (id, subject, sealed) values ($1, $2, $3)"
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = subject });
            command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = kept });
            return await command.ExecuteNonQueryAsync(ct);
        });
        return id;
    }

    /// <summary>Those of the secrets that there are, by name.</summary>
    public Task<Dictionary<Guid, byte[]>> OpenAsync(params Guid[] ids) =>
        contact.WhileAvailableAsync(async ct =>
        {
            await using var command = database.CreateCommand(
                "select id, subject, sealed from vault where id = any ($1)"
            );
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = ids });
            var secrets = new Dictionary<Guid, byte[]>();
            await using var row = await command.ExecuteReaderAsync(ct);
            while (await row.ReadAsync(ct))
                secrets[row.GetGuid(0)] = master.Unprotect(
                    row.GetFieldValue<byte[]>(2),
                    Purpose(row.GetGuid(0), row.GetGuid(1))
                );
            return secrets;
        });

    /// <summary>Forgets secrets that nothing names any more.</summary>
    public Task DropAsync(params Guid[] ids) =>
        ExecuteAsync("delete from vault where id = any ($1)", new NpgsqlParameter<Guid[]> { TypedValue = ids });

    /// <summary>Forgets everything that is kept of an account.</summary>
    public Task ForgetAsync(Guid subject) =>
        ExecuteAsync("delete from vault where subject = $1", new NpgsqlParameter<Guid> { TypedValue = subject });

    Task ExecuteAsync(string sql, NpgsqlParameter parameter) =>
        contact.WhileAvailableAsync(async ct =>
        {
            await using var command = database.CreateCommand(sql);
            command.Parameters.Add(parameter);
            return await command.ExecuteNonQueryAsync(ct);
        });

    static string Purpose(Guid id, Guid subject) => $"vault {id} of {subject}";
}
