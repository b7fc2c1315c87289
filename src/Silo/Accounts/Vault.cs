using System.Text;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// Secrets of accounts, encrypted, each with a name that events carry in its place. A secret never changes: another one
/// has another name.
/// </summary>
public sealed class Vault(ReadsDb db, MasterKey master)
{
    /// <summary>Keeps a secret; returns its name.</summary>
    /// <param name="subject">Whose it is: with the account it is forgotten.</param>
    public Task<Guid> KeepAsync(Guid subject, string secret) => KeepAsync(subject, Encoding.UTF8.GetBytes(secret));

    /// <inheritdoc cref="KeepAsync(Guid, string)"/>
    public async Task<Guid> KeepAsync(Guid subject, byte[] secret)
    {
        var id = Guid.CreateVersion7();
        var kept = master.Protect(secret, Purpose(id, subject));
        await db.ExecuteAsync(
            "insert into vault (id, subject, sealed) values ($1, $2, $3)",
            [Arg.Of(id), Arg.Of(subject), Arg.Of(kept)]
        );
        return id;
    }

    /// <summary>Those of the secrets that there are, by name.</summary>
    public async Task<Dictionary<Guid, byte[]>> OpenAsync(params Guid[] ids)
    {
        var secrets = await db.QueryAsync(
            "select id, subject, sealed from vault where id = any ($1)",
            [Arg.Of(ids)],
            reader =>
                KeyValuePair.Create(
                    reader.GetGuid(0),
                    master.Unprotect(reader.GetFieldValue<byte[]>(2), Purpose(reader.GetGuid(0), reader.GetGuid(1)))
                )
        );
        return new(secrets);
    }

    /// <summary>Forgets secrets that nothing names any more.</summary>
    public Task DropAsync(params Guid[] ids) => db.ExecuteAsync("delete from vault where id = any ($1)", [Arg.Of(ids)]);

    /// <summary>Forgets everything that is kept of an account.</summary>
    public Task ForgetAsync(Guid subject) => db.ExecuteAsync("delete from vault where subject = $1", [Arg.Of(subject)]);

    /// <summary>What a secret is bound to.</summary>
    internal static string Purpose(Guid id, Guid subject) => $"vault {id} of {subject}";
}
