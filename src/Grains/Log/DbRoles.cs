using Npgsql;

namespace Resources.Grains;

/// <summary>The log as grains use it: the appender, heads of streams, look-ups of commands, snapshots.</summary>
public sealed class LogDb(NpgsqlDataSource source, StoreContact contact) : Db(source, contact);

/// <summary>
/// What a node must know to serve at all: whether the database answers, the members of the cluster, who may do what,
/// rate limits, and how far the log is. All of it is quick, so few connections do.
/// </summary>
public sealed class ControlDb(NpgsqlDataSource source, StoreContact contact) : Db(source, contact);

/// <summary>What clients read: lists, histories, pages of the log, accounts.</summary>
public sealed class ReadsDb(NpgsqlDataSource source, StoreContact contact) : Db(source, contact);

/// <summary>What follows the log in the background: projections, the node's tail of the log, settings of subscriptions.</summary>
public sealed class FollowDb(NpgsqlDataSource source, StoreContact contact) : Db(source, contact);

/// <summary>
/// Subscriptions at work: what they read of the log, and how far they are. There may be many, and they may wait.
/// </summary>
public sealed class DeliveriesDb(NpgsqlDataSource source, StoreContact contact) : Db(source, contact);

/// <summary>Filters and searches: never prepared, and bounded in number and time.</summary>
public sealed class SearchesDb(NpgsqlDataSource source, StoreContact contact) : Db(source, contact)
{
    protected override StoreOverloadedException Exhausted() => new SearchesBusyException();
}

/// <summary>
/// Connections for what belongs to a session and not to a statement: locks, settings, LISTEN. They have no pool:
/// closing one ends its session.
/// </summary>
public sealed class SessionsDb(NpgsqlDataSource source, StoreContact contact) : Db(source, contact);

/// <summary>Work that may take long and is not asked for often: new generations of read models.</summary>
public sealed class BulkDb(NpgsqlDataSource source, StoreContact contact) : Db(source, contact);

/// <summary>The pools of a node.</summary>
public sealed record DbRoles(
    LogDb Log,
    ControlDb Control,
    ReadsDb Reads,
    FollowDb Follow,
    DeliveriesDb Deliveries,
    SearchesDb Searches,
    SessionsDb Sessions,
    BulkDb Bulk
)
{
    /// <summary>
    /// Closes the connections of every pool. They die with the server; without them its return is noticed at the first
    /// try.
    /// </summary>
    public void Clear()
    {
        foreach (var pool in (Db[])[Log, Control, Reads, Follow, Deliveries, Searches, Bulk])
            pool.Clear();
    }
}
