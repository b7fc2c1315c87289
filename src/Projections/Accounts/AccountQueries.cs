using Resources.Grains;

namespace Resources.Projections;

/// <summary>An account as it stands in a list, at its place in it.</summary>
/// <param name="Position">Where it was registered; the list is in this order.</param>
public sealed record AccountRow(long Position, Guid Id, Account Account);

/// <summary>An API key in a list, at its place in it, and when it was last used.</summary>
public sealed record ApiKeyRow(long Position, Guid Id, ApiKey Key, DateTimeOffset? UsedAt);

/// <summary>
/// Lists what belongs to accounts, straight from the log: the events of a page are folded as their grains do it, from
/// the same snapshots, so that a list is never behind.
/// </summary>
public sealed class AccountQueries(ReadsDb db, StreamStates states)
{
    /// <summary>
    /// Accounts that are not deleted, in the order of their registration; up to <paramref name="limit"/>.
    /// </summary>
    public async Task<List<AccountRow>> PageAsync(long after, int limit, CancellationToken ct)
    {
        var rows = new List<AccountRow>();
        // Deleted ones leave gaps, which the next read fills.
        for (var more = true; more && rows.Count < limit; )
        {
            var begun = await StreamsAsync(
                "select seq_id, stream_id from mt_events where type = 'account.registered' and seq_id > $1 order by seq_id limit $2",
                ct,
                after,
                limit
            );
            var accounts = await FoldAsync<Account, AccountEvent>(begun, Account.Evolve, ct);
            rows.AddRange(
                begun
                    .Select(stream => new AccountRow(stream.Position, stream.Id, accounts[stream.Id].State))
                    .Where(row => !row.Account.Deleted)
            );
            more = begun.Count == limit;
            if (more)
                after = begun[^1].Position;
        }
        return rows.Count > limit ? rows[..limit] : rows;
    }

    /// <summary>The sessions of an account that have not ended, newest first; some of them may have expired.</summary>
    public async Task<List<(Guid Id, Session Session)>> SessionsAsync(Guid account, int limit, CancellationToken ct)
    {
        var begun = await StreamsAsync(
            """
            select s.seq_id, s.stream_id from mt_events s
            where s.type = 'session.started' and s.data ->> 'account' = $1
                and (select e.type from mt_events e where e.stream_id = s.stream_id order by e.version desc limit 1) <> 'session.ended'
            order by s.seq_id desc limit $2
            """,
            ct,
            account.ToString(),
            limit
        );
        var sessions = await FoldAsync<Session, SessionEvent>(begun, Session.Evolve, ct);
        return begun.ConvertAll(stream => (stream.Id, sessions[stream.Id].State));
    }

    const string Keys = """
        from mt_events s
        where s.type = 'api_key.created' and s.data ->> 'account' = $1
            and (select e.type from mt_events e where e.stream_id = s.stream_id order by e.version desc limit 1) <> 'api_key.revoked'
        """;

    /// <summary>
    /// The keys of an account that are not revoked, below a position, newest first, each with when it was last used.
    /// </summary>
    public async Task<List<ApiKeyRow>> KeysAsync(Guid account, long before, int limit, CancellationToken ct)
    {
        var begun = await db.QueryAsync(
            $"select s.seq_id, s.stream_id {Keys} and s.seq_id < $2 order by s.seq_id desc limit $3",
            [Arg.Of(account.ToString()), Arg.Of(before), Arg.Of(limit)],
            static reader => (Position: reader.GetInt64(0), Id: reader.GetGuid(1)),
            ct
        );
        var keys = await FoldAsync<ApiKey, ApiKeyEvent>(begun, ApiKey.Evolve, ct);
        var used = await UsesAsync([.. begun.Select(stream => stream.Id)], ct);
        return begun.ConvertAll(stream => new ApiKeyRow(
            stream.Position,
            stream.Id,
            keys[stream.Id].State,
            used.TryGetValue(stream.Id, out var at) ? at : null
        ));
    }

    /// <summary>How many keys an account has that are not revoked.</summary>
    public Task<long> CountKeysAsync(Guid account) =>
        db.ScalarAsync<long>($"select count(*) {Keys}", [Arg.Of(account.ToString())]);

    /// <summary>Notes that keys were used.</summary>
    public Task NoteUsesAsync(Guid[] keys, DateTimeOffset at, CancellationToken ct) =>
        db.ExecuteAsync(
            """
            insert into api_key_uses (api_key, used_at) select key, $2 from unnest($1) as u(key) order by key
            on conflict (api_key) do update set used_at = greatest(api_key_uses.used_at, excluded.used_at)
            """,
            [Arg.Of(keys), Arg.Of(at)],
            ct
        );

    /// <summary>Whether any account exists.</summary>
    public Task<bool> AnyAsync(CancellationToken ct) =>
        db.ScalarAsync<bool>("select exists (select from mt_events where type = 'account.registered')", [], ct);

    Task<List<(long Position, Guid Id)>> StreamsAsync<T>(string sql, CancellationToken ct, T first, int limit) =>
        db.QueryAsync(
            sql,
            [Arg.Of(first), Arg.Of(limit)],
            static reader => (reader.GetInt64(0), reader.GetGuid(1)),
            ct
        );

    Task<Dictionary<Guid, Snapshot<TState>>> FoldAsync<TState, TEvent>(
        List<(long Position, Guid Id)> streams,
        Func<TState?, Recorded<TEvent>, TState> evolve,
        CancellationToken ct
    )
        where TState : class
        where TEvent : class => states.FoldAsync(db, [.. streams.Select(stream => stream.Id)], evolve, ct);

    async Task<Dictionary<Guid, DateTimeOffset>> UsesAsync(Guid[] keys, CancellationToken ct)
    {
        var uses = await db.QueryAsync(
            "select api_key, used_at from api_key_uses where api_key = any ($1)",
            [Arg.Of(keys)],
            static reader => KeyValuePair.Create(reader.GetGuid(0), reader.GetFieldValue<DateTimeOffset>(1)),
            ct
        );
        return new(uses);
    }
}
