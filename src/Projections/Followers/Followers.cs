using System.Diagnostics.Metrics;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>A follower of the log: where it is, and why, if it stands still.</summary>
/// <param name="Owned">Whether a node of the cluster runs it.</param>
/// <param name="LagSeconds">Age of the oldest event that it has not applied; 0 when there is none.</param>
public sealed record Follower(
    string Name,
    int Generation,
    string? Node,
    bool Owned,
    long Position,
    long Head,
    double LagSeconds,
    FollowerFault? Fault,
    FollowerRebuild? Rebuild,
    DateTimeOffset? RebuiltAt,
    string? RebuildFault
)
{
    /// <summary>Events of the log that it has not applied; numbers that were never used count too.</summary>
    public long Lag => Math.Max(0, Head - Position);
}

/// <summary>The event at which a follower stands still, and why.</summary>
public sealed record FollowerFault(long Position, string Detail, DateTimeOffset Since);

/// <summary>A new generation that is built beside the one that answers.</summary>
public sealed record FollowerRebuild(
    int Generation,
    string Stage,
    long Position,
    DateTimeOffset RequestedAt,
    string RequestedBy
);

/// <summary>What came of a request to a follower.</summary>
public enum FollowerAnswer
{
    Done,
    NoSuchFollower,

    /// <summary>A rebuild is under way.</summary>
    Busy,

    /// <summary>The follower does not stand at an event with this position that is to blame.</summary>
    NotThere,
}

/// <summary>
/// Shows followers, and takes what operators ask of them. The node that runs a follower looks for that every second.
/// </summary>
public sealed class Followers(NpgsqlDataSource database, StoreContact contact)
{
    /// <summary>Whoever holds this advisory lock runs the followers.</summary>
    public const long OwnerLock = 7238164;

    /// <summary>Metrics of followers.</summary>
    public static readonly Meter Meter = new("Resources.Followers");

    /// <summary>Every follower, by name.</summary>
    public Task<List<Follower>> AllAsync(CancellationToken ct) =>
        contact.WhileAvailableAsync(
            async token =>
            {
                await using var command = database.CreateCommand(
                    $"""
                    select f.name, f.generation, f.node, owned, coalesce(live.last_seq_id, 0), head, f.fault_position, f.fault_detail, f.fault_since,
                        f.building, f.stage, coalesce(next.last_seq_id, 0), f.requested_at, f.requested_by, f.rebuilt_at, f.rebuild_fault,
                        coalesce((select extract(epoch from clock_timestamp() - timestamp) from mt_events where seq_id > coalesce(live.last_seq_id, 0) order by seq_id limit 1), 0)::float8
                    from followers f
                    cross join log_head()
                    cross join (select
                        exists (select from pg_locks where locktype = 'advisory' and classid = 0 and objid = {OwnerLock} and granted and database = (select oid from pg_database where datname = current_database())) as owned) now
                    left join mt_event_progression live on live.name = follower_shard(f.name, f.generation)
                    left join mt_event_progression next on next.name = follower_shard(f.name, f.building)
                    order by f.name
                    """
                );
                var followers = new List<Follower>();
                await using var row = await command.ExecuteReaderAsync(token);
                while (await row.ReadAsync(token))
                    followers.Add(
                        new(
                            row.GetString(0),
                            row.GetInt32(1),
                            Text(row, 2),
                            row.GetBoolean(3),
                            row.GetInt64(4),
                            row.GetInt64(5),
                            Math.Max(0, row.GetDouble(16)),
                            row.IsDBNull(6)
                                ? null
                                : new(row.GetInt64(6), row.GetString(7), row.GetFieldValue<DateTimeOffset>(8)),
                            row.IsDBNull(9)
                                ? null
                                : new(
                                    row.GetInt32(9),
                                    row.GetString(10),
                                    row.GetInt64(11),
                                    row.GetFieldValue<DateTimeOffset>(12),
                                    row.GetString(13)
                                ),
                            row.IsDBNull(14) ? null : row.GetFieldValue<DateTimeOffset>(14),
                            Text(row, 15)
                        )
                    );
                return followers;
            },
            ct
        );

    /// <summary>Asks for a rebuild: a new generation beside the one that answers, then in its place.</summary>
    public Task<FollowerAnswer> RebuildAsync(string name, string actor, CancellationToken ct) =>
        AskAsync(
            name,
            FollowerAnswer.Busy,
            """
            update followers set building = generation + 1, stage = 'filling', requested_at = clock_timestamp(), requested_by = $2, rebuild_fault = null
            where name = $1 and building is null
            """,
            [new NpgsqlParameter<string> { TypedValue = actor }],
            ct
        );

    /// <summary>Asks a follower that stands still to try again now.</summary>
    public Task<FollowerAnswer> ResumeAsync(string name, CancellationToken ct) =>
        AskAsync(
            name,
            FollowerAnswer.NotThere,
            """
            update followers set fault_position = null, fault_detail = null, fault_since = null where name = $1 and fault_position is not null
            """,
            [],
            ct
        );

    /// <summary>
    /// Tells a follower to leave out the event at which it stands, now and in rebuilds. Who and why is kept.
    /// </summary>
    public Task<FollowerAnswer> SkipAsync(
        string name,
        long position,
        string reason,
        string actor,
        CancellationToken ct
    ) =>
        AskAsync(
            name,
            FollowerAnswer.NotThere,
            """
            with standing as (
                update followers set fault_position = null, fault_detail = null, fault_since = null where name = $1 and fault_position = $2 and fault_is_of_event returning name
            ),
            marked as (update mt_events set is_skipped = true where seq_id = $2 and exists (select from standing))
            insert into skipped_events (position, follower, reason, skipped_by) select $2, name, $3, $4 from standing
            on conflict (position) do update set reason = excluded.reason, skipped_by = excluded.skipped_by
            """,
            [
                new NpgsqlParameter<long> { TypedValue = position },
                new NpgsqlParameter<string> { TypedValue = reason },
                new NpgsqlParameter<string> { TypedValue = actor },
            ],
            ct
        );

    async Task<FollowerAnswer> AskAsync(
        string name,
        FollowerAnswer otherwise,
        string sql,
        NpgsqlParameter[] more,
        CancellationToken ct
    ) =>
        await contact.WhileAvailableAsync(
            async token =>
            {
                await using var exists = database.CreateCommand(
                    "select exists (select from followers where name = $1)"
                );
                exists.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
                if (await exists.ExecuteScalarAsync(token) is not true)
                    return FollowerAnswer.NoSuchFollower;
                await using var command = database.CreateCommand(sql);
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
                foreach (var parameter in more)
                    command.Parameters.Add(parameter);
                return await command.ExecuteNonQueryAsync(token) > 0 ? FollowerAnswer.Done : otherwise;
            },
            ct
        );

    static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
