using System.Data.Common;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// The node's PostgreSQL: the configured one, else a private one that lives and ends with the node. Opened before the
/// host is built. It owns the connection pools; others get them by role.
/// </summary>
public sealed class NodeDatabase : IAsyncDisposable
{
    /// <summary>A node that is paused within a transaction must not keep its locks from those that take over.</summary>
    const string IdleTimeout = "-c idle_in_transaction_session_timeout=3000";

    /// <summary>Those for writes, for membership, for followers, for deliveries and for a few sessions of their own.</summary>
    const int BackgroundConnections = 32;

    readonly EmbeddedPostgres? embedded;
    readonly string connectionString;
    readonly NpgsqlDataSource log;
    readonly NpgsqlDataSource control;
    readonly NpgsqlDataSource reads;
    readonly NpgsqlDataSource follow;
    readonly NpgsqlDataSource deliveries;
    readonly NpgsqlDataSource searches;
    readonly NpgsqlDataSource sessions;
    readonly NpgsqlDataSource bulk;
    readonly Schema schema;

    /// <summary>The newest time line of a server that this node has seen.</summary>
    int timeline;

    /// <summary>
    /// Tells the cluster of a log that was restored here from that of its original; empty for the original.
    /// </summary>
    string lineage = "";

    NodeDatabase(
        string connectionString,
        Schema schema,
        DatabaseOptions options,
        ILoggerFactory logs,
        EmbeddedPostgres? embedded
    )
    {
        this.connectionString = connectionString;
        this.schema = schema;
        this.embedded = embedded;
        NpgsqlDataSource Connect(string role, int size, int timeout, Action<NpgsqlConnectionStringBuilder> settle)
        {
            var builder = new NpgsqlDataSourceBuilder(connectionString) { Name = "resources-" + role };
            var connection = builder.ConnectionStringBuilder;
            connection.ApplicationName ??= "resources";
            connection.MaxPoolSize = size;
            connection.Timeout = timeout;
            connection.CommandTimeout = 15;
            connection.KeepAlive = 0;
            // Statements leave nothing behind in these sessions, and to clean one up at every use is a quarter of what
            // a list costs.
            connection.NoResetOnClose = true;
            settle(connection);
            return builder
                .UsePhysicalConnectionInitializer(
                    _ => throw new NotSupportedException("Connections are opened asynchronously."),
                    CheckAsync
                )
                .UseLoggerFactory(logs)
                .Build();
        }
        log = Connect("log", 8, 2, Prepare);
        control = Connect("control", 4, 2, Prepare);
        reads = Connect("reads", options.MaxPoolSize, 5, Prepare);
        follow = Connect("follow", 8, 5, Prepare);
        deliveries = Connect("deliveries", 5, 30, Prepare);
        // Where no index knows a filter the list's own is walked, which ends with the page; a scan of the table would
        // read all of it. A page out of order costs what it does in memory or on an SSD. At the default, that of a disk
        // with an arm, the list is walked for rare words too.
        var bounds =
            $"-c statement_timeout={QueryTimeoutException.MaxTime.TotalMilliseconds:F0} "
            + "-c enable_seqscan=off -c random_page_cost=1.1 -c jit=off";
        searches = Connect("searches", options.MaxSearchPoolSize, 5, settings =>
            Set(settings, $"{IdleTimeout} {bounds}")
        );
        sessions = Connect("sessions", options.MaxPoolSize, 5, settings =>
        {
            Prepare(settings);
            settings.Pooling = false;
        });
        bulk = Connect("bulk", 4, 30, settings => Set(settings, IdleTimeout));
    }

    /// <summary>Whether the database belongs to this node alone.</summary>
    public bool IsEmbedded => embedded is not null;

    /// <summary>The pool of Orleans' tables: that of <see cref="ControlDb"/>.</summary>
    internal DbDataSource Membership => control;

    /// <summary>The first host of the database, and its port.</summary>
    internal (string Host, int Port) Address
    {
        get
        {
            var connection = new NpgsqlConnectionStringBuilder(connectionString);
            return NodeAddress.OfHost(connection.Host!.Split(',')[0], connection.Port);
        }
    }

    /// <summary>The pools, each for its role.</summary>
    public DbRoles Roles(StoreContact contact) =>
        new(
            new(log, contact),
            new(control, contact),
            new(reads, contact),
            new(follow, contact),
            new(deliveries, contact),
            new(searches, contact),
            new(sessions, contact),
            new(bulk, contact)
        );

    /// <summary>Finds or starts the database and brings its schema up to date.</summary>
    /// <param name="features">Their assemblies may have scripts.</param>
    /// <param name="migrate">Whether to apply what the schema lacks, whatever the configuration says.</param>
    /// <exception cref="ConfigurationException">
    /// The schema is behind and may not be applied, or a part of it has changed since it was applied.
    /// </exception>
    public static async Task<NodeDatabase> OpenAsync(
        Settings settings,
        IReadOnlyList<NodeFeature> features,
        ILoggerFactory logs,
        bool migrate = false,
        CancellationToken ct = default
    )
    {
        var given = settings.Configuration.GetConnectionString("Resources");
        var embedded = string.IsNullOrWhiteSpace(given)
            ? await EmbeddedPostgres.StartAsync(
                settings.Read<EmbeddedOptions>("Embedded"),
                logs.CreateLogger<EmbeddedPostgres>(),
                ct
            )
            : null;
        embedded?.KeepRunning();
        var connectionString = embedded?.ConnectionString ?? Settle(given!);
        var schema = Silo.Schema.Of(connectionString, features.Select(feature => feature.Assembly));
        var options = settings.Read<DatabaseOptions>("Database");
        var database = new NodeDatabase(connectionString, schema, options, logs, embedded);
        try
        {
            await ServerRequirements.CheckAsync(
                connectionString,
                BackgroundConnections + options.MaxPoolSize + options.MaxSearchPoolSize,
                TimeProvider.System,
                logs.CreateLogger<NodeDatabase>(),
                ct
            );
            await database.PrepareAsync(migrate || settings.Read<SchemaOptions>("Schema").ApplyOnStart, ct);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Applies every migration that the database lacks.</summary>
    public Task MigrateAsync(CancellationToken ct = default) => schema.ApplyAsync(ct);

    /// <summary>Makes the database that of the node's cluster.</summary>
    /// <exception cref="ConfigurationException">Nodes of another cluster are alive on it.</exception>
    public async Task ClaimAsync(ClusterOptions cluster, CancellationToken ct = default)
    {
        await using var connection = await bulk.OpenConnectionAsync(ct);
        await ClusterClaim.RefuseCopyAsync(connection, NameOf(cluster.ClusterId), ct);
        await ClusterClaim.TakeAsync(connection, NameOf(cluster.ClusterId), cluster.Role is not NodeRole.Client, ct);
    }

    /// <summary>
    /// The cluster as Orleans knows it. A restored copy of a database has the members of its original in it, which it must
    /// never join.
    /// </summary>
    internal string NameOf(string cluster) => cluster + lineage;

    public async ValueTask DisposeAsync()
    {
        foreach (var pool in (NpgsqlDataSource[])[log, control, reads, follow, deliveries, searches, sessions, bulk])
            await pool.DisposeAsync();
        if (embedded is not null)
            await embedded.DisposeAsync();
    }

    async Task PrepareAsync(bool apply, CancellationToken ct)
    {
        if (apply)
            await MigrateAsync(ct);
        else if (await schema.PendingAsync(ct) is { Count: > 0 } pending)
            throw new ConfigurationException(
                $"The database lacks {string.Join(", ", pending)}. "
                    + "Run this program with the argument 'migrate', or set Schema__ApplyOnStart=true."
            );
        await SettleAsync(ct);
    }

    /// <summary>Checks what the promises of the log rest on, and begins an epoch where the server is a new one.</summary>
    /// <exception cref="ConfigurationException">They cannot be kept with this server.</exception>
    async Task SettleAsync(CancellationToken ct)
    {
        await using var connection = await bulk.OpenConnectionAsync(ct);
        var place = await LogPlace.LookAsync(connection, ct);
        if (place is { Fault: null, BeginsEpoch: true })
        {
            await LogPlace.BeginEpochAsync(connection, ct);
            place = await LogPlace.LookAsync(connection, ct);
        }
        if (place.Fault is { } fault)
            throw new ConfigurationException(fault);
        lineage = place.Lineage is { } id ? "-" + id.ToString("n")[..8] : "";
    }

    /// <summary>
    /// With several hosts it is the primary, never a standby, which may be behind. All objects are in one schema, whatever
    /// the database or the account prefer.
    /// </summary>
    static string Settle(string given)
    {
        var settings = new NpgsqlConnectionStringBuilder(PostgresUrl.Read(given));
        if (settings.SearchPath is { Length: > 0 } and not "public")
            throw new ConfigurationException(
                "ConnectionStrings:Resources has a Search Path. Remove it: everything is in the schema public."
            );
        settings.SearchPath = "public";
        if (settings.Host?.Contains(',') is true)
            settings.TargetSessionAttributes = "primary";
        return settings.ConnectionString;
    }

    /// <summary>
    /// Refuses a former primary. It takes itself for the primary still, and what is written there is lost.
    /// </summary>
    async Task CheckAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            """
            select case when not pg_is_in_recovery() then ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int end
            """,
            connection
        );
        if (await command.ExecuteScalarAsync() is not int found)
            throw new StoreUnavailableException("The server is a standby.");
        for (var known = Volatile.Read(ref timeline); found > known; known = Volatile.Read(ref timeline))
            Interlocked.CompareExchange(ref timeline, found, known);
        if (found < Volatile.Read(ref timeline))
            throw new StoreUnavailableException(
                $"The server is on time line {found}, but a newer one was seen: it is a former primary."
            );
    }

    /// <summary>The same few statements again and again stay prepared.</summary>
    static void Prepare(NpgsqlConnectionStringBuilder settings)
    {
        settings.MaxAutoPrepare = 40;
        settings.AutoPrepareMinUsages = 2;
        Set(settings, IdleTimeout);
    }

    static void Set(NpgsqlConnectionStringBuilder settings, string options) =>
        settings.Options = $"{settings.Options} {options}".TrimStart();
}
