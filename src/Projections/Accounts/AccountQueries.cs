using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>An account as it stands in a list, at its place in it.</summary>
/// <param name="Position">Where it was registered; the list is in this order.</param>
public sealed record AccountRow(long Position, Guid Id, Account Account);

/// <summary>
/// Lists what belongs to accounts, straight from the log: the events of a page are folded as their grains do it, from
/// the same snapshots, so that a list is never behind.
/// </summary>
public sealed class AccountQueries(
    NpgsqlDataSource database,
    StoreContact contact,
    Snapshots snapshots,
    EventKinds kinds
)
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
                    .Select(stream => new AccountRow(stream.Position, stream.Id, accounts[stream.Id]))
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
        return begun.ConvertAll(stream => (stream.Id, sessions[stream.Id]));
    }

    /// <summary>The keys of an account that are not revoked, newest first, each with when it was last used.</summary>
    public async Task<List<(Guid Id, ApiKey Key, DateTimeOffset? UsedAt)>> KeysAsync(
        Guid account,
        int limit,
        CancellationToken ct
    )
    {
        var begun = await StreamsAsync(
            """
            select s.seq_id, s.stream_id from mt_events s
            where s.type = 'api_key.created' and s.data ->> 'account' = $1
                and (select e.type from mt_events e where e.stream_id = s.stream_id order by e.version desc limit 1) <> 'api_key.revoked'
            order by s.seq_id desc limit $2
            """,
            ct,
            account.ToString(),
            limit
        );
        var keys = await FoldAsync<ApiKey, ApiKeyEvent>(begun, ApiKey.Evolve, ct);
        var used = await UsesAsync([.. begun.Select(stream => stream.Id)], ct);
        return begun.ConvertAll(stream =>
            (stream.Id, keys[stream.Id], used.TryGetValue(stream.Id, out var at) ? (DateTimeOffset?)at : null)
        );
    }

    /// <summary>Notes that keys were used.</summary>
    public Task NoteUsesAsync(Guid[] keys, DateTimeOffset at, CancellationToken ct) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                await using var command = database.CreateCommand(
                    """
                    insert into api_key_uses (api_key, used_at) select key, $2 from unnest($1) as u(key) order by key
                    on conflict (api_key) do update set used_at = greatest(api_key_uses.used_at, excluded.used_at)
                    """
                );
                command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = keys });
                command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = at });
                return await command.ExecuteNonQueryAsync(ct);
            },
            ct
        );

    /// <summary>Whether any account exists.</summary>
    public Task<bool> AnyAsync(CancellationToken ct) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                await using var command = database.CreateCommand(
                    "select exists (select from mt_events where type = 'account.registered')"
                );
                return await command.ExecuteScalarAsync(ct) is true;
            },
            ct
        );

    Task<List<(long Position, Guid Id)>> StreamsAsync<T>(string sql, CancellationToken ct, T first, int limit) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                await using var command = database.CreateCommand(sql);
                command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = first });
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
                var streams = new List<(long, Guid)>();
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                    streams.Add((row.GetInt64(0), row.GetGuid(1)));
                return streams;
            },
            ct
        );

    /// <summary>The states of several streams, in two queries for all.</summary>
    Task<Dictionary<Guid, TState>> FoldAsync<TState, TEvent>(
        List<(long Position, Guid Id)> streams,
        Func<TState?, Recorded<TEvent>, TState> evolve,
        CancellationToken ct
    )
        where TState : class
        where TEvent : class =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                Guid[] ids = [.. streams.Select(stream => stream.Id)];
                var saved = await snapshots.LoadAsync<TState>(ids, ct);
                await using var command = database.CreateCommand(
                    """
                    select e.stream_id, e.version, e.seq_id, e.timestamp, coalesce(e.user_name, ''), e.type, e.data::text
                    from unnest($1, $2) as s(id, version) join mt_events e on e.stream_id = s.id and e.version > s.version order by e.stream_id, e.version
                    """
                );
                command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = ids });
                command.Parameters.Add(
                    new NpgsqlParameter<long[]>
                    {
                        TypedValue =
                        [
                            .. ids.Select(id => saved.TryGetValue(id, out var snapshot) ? snapshot.Version : 0),
                        ],
                    }
                );
                var states = saved.ToDictionary(snapshot => snapshot.Key, snapshot => snapshot.Value.State);
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                {
                    var stream = row.GetGuid(0);
                    var version = row.GetInt64(1);
                    var name = row.GetString(5);
                    var recorded = new Recorded<TEvent>(
                        kinds.Read(name, row.GetString(6)) as TEvent
                            ?? throw new InvalidDataException($"There is no event {name} of {typeof(TState).Name}."),
                        version,
                        row.GetInt64(2),
                        row.GetFieldValue<DateTimeOffset>(3),
                        row.GetString(4)
                    );
                    states[stream] = evolve(states.GetValueOrDefault(stream), recorded);
                }
                return states;
            },
            ct
        );

    Task<Dictionary<Guid, DateTimeOffset>> UsesAsync(Guid[] keys, CancellationToken ct) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                await using var command = database.CreateCommand(
                    "select api_key, used_at from api_key_uses where api_key = any ($1)"
                );
                command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = keys });
                var uses = new Dictionary<Guid, DateTimeOffset>();
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                    uses[row.GetGuid(0)] = row.GetFieldValue<DateTimeOffset>(1);
                return uses;
            },
            ct
        );
}
