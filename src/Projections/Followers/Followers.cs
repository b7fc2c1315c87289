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
public sealed class Followers(FollowDb db)
{
    /// <summary>Metrics of followers that all nodes of a process have in common.</summary>
    public static readonly Meter Meter = new("Resources.Followers");

    /// <summary>Every follower, by name.</summary>
    public Task<List<Follower>> AllAsync(CancellationToken ct) =>
        db.QueryAsync(
            """
            select f.name, f.generation, f.node, owned, coalesce(live.last_seq_id, 0), head, f.fault_position, f.fault_detail, f.fault_since,
                f.building, f.stage, coalesce(next.last_seq_id, 0), f.requested_at, f.requested_by, f.rebuilt_at, f.rebuild_fault,
                coalesce((select extract(epoch from clock_timestamp() - timestamp) from mt_events where seq_id > coalesce(live.last_seq_id, 0) order by seq_id limit 1), 0)::float8
            from followers f
            cross join log_head()
            cross join lateral (select exists (
                select from pg_locks where locktype = 'advisory' and objsubid = 1 and granted and database = (select oid from pg_database where datname = current_database())
                    and (classid::bigint << 32 | objid::bigint) = follower_lock(f.name)) as owned) lock
            left join mt_event_progression live on live.name = follower_shard(f.name, f.generation)
            left join mt_event_progression next on next.name = follower_shard(f.name, f.building)
            order by f.name
            """,
            [],
            static reader => new Follower(
                reader.GetString(0),
                reader.GetInt32(1),
                reader.TextOrNull(2),
                reader.GetBoolean(3),
                reader.GetInt64(4),
                reader.GetInt64(5),
                Math.Max(0, reader.GetDouble(16)),
                reader.IsDBNull(6)
                    ? null
                    : new(reader.GetInt64(6), reader.GetString(7), reader.GetFieldValue<DateTimeOffset>(8)),
                reader.IsDBNull(9)
                    ? null
                    : new(
                        reader.GetInt32(9),
                        reader.GetString(10),
                        reader.GetInt64(11),
                        reader.GetFieldValue<DateTimeOffset>(12),
                        reader.GetString(13)
                    ),
                reader.TimeOrNull(14),
                reader.TextOrNull(15)
            ),
            ct
        );

    /// <summary>Asks for a rebuild: a new generation beside the one that answers, then in its place.</summary>
    public Task<FollowerAnswer> RebuildAsync(string name, string actor, CancellationToken ct) =>
        AskAsync(
            name,
            FollowerAnswer.Busy,
            """
            update followers set building = greatest(generation, newest) + 1, newest = greatest(generation, newest) + 1, stage = 'filling', requested_at = clock_timestamp(), requested_by = $2, rebuild_fault = null
            where name = $1 and building is null
            """,
            [Arg.Of(actor)],
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
    /// Tells a follower to leave out the event at which it stands, now and in rebuilds. Who and why is kept. Other
    /// followers apply it.
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
            -- For the daemon of the version before, which may own the follower.
            marked as (update mt_events set is_skipped = true where seq_id = $2 and exists (select from standing))
            insert into skipped_events (position, follower, reason, skipped_by) select $2, name, $3, $4 from standing
            on conflict (follower, position) do update set reason = excluded.reason, skipped_by = excluded.skipped_by
            """,
            [Arg.Of(position), Arg.Of(reason), Arg.Of(actor)],
            ct
        );

    async Task<FollowerAnswer> AskAsync(
        string name,
        FollowerAnswer otherwise,
        string sql,
        NpgsqlParameter[] more,
        CancellationToken ct
    )
    {
        if (!await db.ScalarAsync<bool>("select exists (select from followers where name = $1)", [Arg.Of(name)], ct))
            return FollowerAnswer.NoSuchFollower;
        return await db.ExecuteAsync(sql, [Arg.Of(name), .. more], ct) > 0 ? FollowerAnswer.Done : otherwise;
    }
}
