using System.Security.Cryptography;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>Everything in the database that is encrypted under the master key.</summary>
public sealed class SecretStore(ControlDb db, MasterKey master, SigningKeyStore signingKeys)
{
    /// <summary>The argument of the program that changes the master key.</summary>
    public const string Command = "rotate-master-key";

    const int BatchSize = 100;

    /// <summary>What the root key is bound to.</summary>
    const string RootPurpose = "root key";

    /// <summary>
    /// Where secrets are: what finds one, what it is bound to, and which statements read a batch and replace one. Those
    /// that subscriptions are to have come before those that they have: nodes copy them. The root key is the last: nodes
    /// without the first key refuse to start only when nothing else is under the other.
    /// </summary>
    static readonly SealedColumn[] Columns =
    [
        new(
            "",
            "select kid, kid, protected_key from signing_keys where protected_key is not null and kid > $1 order by kid limit $2",
            "update signing_keys set protected_key = $2 where kid = $1 and protected_key = $3",
            (kid, _) => kid
        ),
        new(
            Guid.Empty.ToString(),
            "select id::text, subject::text, sealed from vault where id > $1::uuid order by id limit $2",
            "update vault set sealed = $2 where id = $1::uuid and sealed = $3",
            (id, subject) => Vault.Purpose(Guid.Parse(id), Guid.Parse(subject))
        ),
        new(
            Guid.Empty.ToString(),
            """
            select k.id::text, (s.delivery ->> 'kind') || ' ' || s.id, k.sealed from subscription_secrets k join subscriptions s on s.id = k.subscription
            where k.id > $1::uuid order by k.id limit $2
            """,
            "update subscription_secrets set sealed = $2 where id = $1::uuid and sealed = $3",
            (_, of) => DeliverySecret.Purpose(of.Split(' ')[0], Guid.Parse(of.Split(' ')[1]))
        ),
        OfSubscriptions("secret"),
        OfSubscriptions("previous_secret"),
        new(
            "",
            "select one::text, '', sealed from root_key where one::text > $1 limit $2",
            "update root_key set sealed = $2 where one = $1::boolean and sealed = $3",
            (_, _) => RootPurpose
        ),
    ];

    /// <summary>
    /// Opens the root key, which the first node makes, and checks that the master key is the one of this database.
    /// </summary>
    /// <exception cref="ConfigurationException">It is another one.</exception>
    public async Task OpenAsync(CancellationToken ct = default)
    {
        await signingKeys.CheckAsync(ct);
        // Of a database that is older than its root key, digests and sessions stay as they are.
        var fresh = await db.ScalarAsync<bool>("select not exists (select from signing_keys)", [], ct)
            ? RandomNumberGenerator.GetBytes(MasterKey.Size)
            : await EarlierRootAsync(ct);
        await db.ExecuteAsync(
            "insert into root_key (sealed) select $1 where not exists (select from root_key) on conflict do nothing",
            [Arg.Of(master.Protect(fresh, RootPurpose))],
            ct
        );
        var root = await db.ScalarAsync<byte[]>("select sealed from root_key", [], ct);
        master.DeriveFrom(master.Unprotect(root!, RootPurpose));
    }

    /// <summary>
    /// Encrypts under the first master key what is under the second one. Nodes may run; it may be stopped at any time,
    /// and run again.
    /// </summary>
    /// <param name="output">Is told how many secrets were under the second key.</param>
    /// <returns>The exit code of the process.</returns>
    /// <exception cref="ConfigurationException">A secret is under neither key.</exception>
    public async Task<int> RenewAsync(TextWriter output, CancellationToken ct)
    {
        var renewed = 0;
        // A node may have copied a secret from where this had not been yet to where it had.
        for (var before = -1; before < renewed; )
        {
            before = renewed;
            foreach (var column in Columns)
                renewed += await RenewAsync(column, ct);
        }
        await output.WriteLineAsync(
            $"{renewed} secrets were encrypted anew. Everything is under Secrets__MasterKey; remove Secrets__SecondMasterKey."
        );
        return 0;
    }

    /// <summary>
    /// The first master key may be new. What digests and sessions of an earlier release were made with is the key that
    /// opens its secrets.
    /// </summary>
    async Task<byte[]> EarlierRootAsync(CancellationToken ct)
    {
        foreach (var column in Columns)
            if (await ReadAsync(column, column.First, 1, ct) is [var (id, of, oldest)])
                return master.EarlierRoot(oldest, column.Purpose(id, of));
        return master.EarlierRoot(null, "");
    }

    Task<List<(string Id, string Of, byte[] Sealed)>> ReadAsync(
        SealedColumn column,
        string after,
        int count,
        CancellationToken ct
    ) =>
        db.QueryAsync(
            column.Read,
            [Arg.Of(after), Arg.Of(count)],
            static reader => (reader.GetString(0), reader.GetString(1), (byte[])reader[2]),
            ct
        );

    async Task<int> RenewAsync(SealedColumn column, CancellationToken ct)
    {
        var renewed = 0;
        for (var after = column.First; ; )
        {
            var batch = await ReadAsync(column, after, BatchSize, ct);
            foreach (var (id, of, before) in batch)
                if (master.Renew(before, column.Purpose(id, of)) is { } now)
                    // Not if somebody has replaced it meanwhile: then it is under the first key.
                    renewed += await db.ExecuteAsync(column.Replace, [Arg.Of(id), Arg.Of(now), Arg.Of(before)], ct);
            if (batch is not [.., var last] || batch.Count < BatchSize)
                return renewed;
            after = last.Id;
        }
    }

    static SealedColumn OfSubscriptions(string column) =>
        new(
            Guid.Empty.ToString(),
            $"""
            select id::text, delivery ->> 'kind', {column} from subscriptions where {column} is not null and id > $1::uuid order by id limit $2
            """,
            $"update subscriptions set {column} = $2 where id = $1::uuid and {column} = $3",
            (id, kind) => DeliverySecret.Purpose(kind, Guid.Parse(id))
        );

    /// <param name="First">What is before every id.</param>
    /// <param name="Read">Reads ids, what else the purpose needs, and secrets, after an id.</param>
    /// <param name="Purpose">What a secret is bound to.</param>
    sealed record SealedColumn(string First, string Read, string Replace, Func<string, string, string> Purpose);
}
