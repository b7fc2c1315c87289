using Marten;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// The node's PostgreSQL: the configured one, else a private one that lives and ends with the node. Opened before the
/// host is built.
/// </summary>
public sealed class NodeDatabase : IAsyncDisposable
{
    readonly EmbeddedPostgres? embedded;
    readonly string connectionString;

    NodeDatabase(string connectionString, DatabaseOptions options, ILoggerFactory logs, EmbeddedPostgres? embedded)
    {
        this.connectionString = connectionString;
        this.embedded = embedded;
        // A node that is paused within a transaction must not keep its locks from those that take over.
        const string patience = "-c idle_in_transaction_session_timeout=3000";
        Source = Connect(
            connectionString,
            options.MaxPoolSize,
            settings =>
            {
                settings.MaxAutoPrepare = 40;
                settings.AutoPrepareMinUsages = 2;
                settings.Options = $"{settings.Options} {patience}".TrimStart();
            },
            "resources",
            logs
        );
        // Where no index knows a filter the list's own is walked, which ends with the page; a scan of the table would
        // read all of it. A page out of order costs what it does in memory or on an SSD. At the default, that of a disk
        // with an arm, the list is walked for rare words too.
        var bounds =
            $"{patience} -c statement_timeout={QueryTimeoutException.Longest.TotalMilliseconds:F0} -c enable_seqscan=off -c random_page_cost=1.1 -c jit=off";
        Searches = new(
            Connect(
                connectionString,
                options.MaxSearchPoolSize,
                settings => settings.Options = $"{settings.Options} {bounds}".TrimStart(),
                "resources-search",
                logs
            )
        );
        Sessions = new(
            Connect(
                connectionString,
                options.MaxPoolSize,
                settings => settings.Pooling = false,
                "resources-session",
                logs
            )
        );
    }

    /// <summary>The pool that everything in the node shares, but for searches.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>The pool of filters and searches.</summary>
    public SearchPool Searches { get; }

    /// <summary>The few sessions that are more than their statements.</summary>
    public SessionSource Sessions { get; }

    /// <summary>Whether the database belongs to this node alone.</summary>
    public bool IsEmbedded => embedded is not null;

    /// <summary>Finds or starts the database and brings its schema up to date.</summary>
    /// <exception cref="ConfigurationException">The schema is behind and may not be applied.</exception>
    public static async Task<NodeDatabase> OpenAsync(
        Settings settings,
        ILoggerFactory logs,
        CancellationToken ct = default
    )
    {
        var given = settings.Configuration.GetConnectionString("Resources");
        var embedded = string.IsNullOrWhiteSpace(given)
            ? await EmbeddedPostgres.StartAsync(
                settings.Read<EmbeddedOptions>("Embedded").DataDirectory,
                logs.CreateLogger<EmbeddedPostgres>(),
                ct
            )
            : null;
        var connectionString = embedded?.ConnectionString ?? given!;
        var database = new NodeDatabase(connectionString, settings.Read<DatabaseOptions>("Database"), logs, embedded);
        try
        {
            await database.PrepareAsync(settings.Read<SchemaOptions>("Schema"), ct);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>Applies every migration that the database lacks.</summary>
    public Task MigrateAsync(CancellationToken ct = default) =>
        Silo.Schema.ApplyAsync(connectionString, _ => ApplyMartenAsync(Source), ct);

    /// <summary>Creates Marten's objects, or brings them up to date.</summary>
    internal static async Task ApplyMartenAsync(NpgsqlDataSource source)
    {
        using var store = DocumentStore.For(options =>
        {
            MartenSetup.Configure(options, source, new());
            MartenSetup.SkipMarkedEvents(options);
        });
        await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync(JasperFx.AutoCreate.CreateOrUpdate);
    }

    public async ValueTask DisposeAsync()
    {
        await Sessions.Source.DisposeAsync();
        await Searches.Source.DisposeAsync();
        await Source.DisposeAsync();
        if (embedded is not null)
            await embedded.DisposeAsync();
    }

    async Task PrepareAsync(SchemaOptions schema, CancellationToken ct)
    {
        if (schema.ApplyOnStart)
            await MigrateAsync(ct);
        else if (await Silo.Schema.PendingAsync(connectionString, ct) is { Count: > 0 } pending)
            throw new ConfigurationException(
                $"The database lacks {string.Join(", ", pending)}. Run this program with the argument 'migrate', or set Schema__ApplyOnStart=true."
            );
    }

    static NpgsqlDataSource Connect(
        string connectionString,
        int most,
        Action<NpgsqlConnectionStringBuilder> settle,
        string name,
        ILoggerFactory logs
    )
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString) { Name = name };
        var connection = builder.ConnectionStringBuilder;
        connection.ApplicationName ??= "resources";
        connection.MaxPoolSize = most;
        connection.Timeout = 5;
        connection.CommandTimeout = 15;
        connection.KeepAlive = 0;
        // Statements leave nothing behind in these sessions, and to clean one up at every use is a quarter of what a
        // list costs.
        connection.NoResetOnClose = true;
        settle(connection);
        return builder.UseLoggerFactory(logs).Build();
    }
}
