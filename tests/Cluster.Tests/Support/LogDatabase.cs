using Marten;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// A database with the whole schema, for one class of tests, and event logs over it: each with a pool of its own, as on
/// a node of its own.
/// </summary>
public sealed class LogDatabase(TestPostgres postgres) : IAsyncLifetime
{
    /// <summary>The tests' own connections, apart from those of the nodes.</summary>
    public NpgsqlDataSource Source { get; private set; } = null!;

    public string ConnectionString { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await postgres.CreateDatabaseAsync();
        Source = NpgsqlDataSource.Create(ConnectionString);
        await using (await OpenAsync(ConnectionString, applySchema: true)) { }
    }

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    /// <summary>Starts an event log. Its connections carry <paramref name="name"/> as their application's.</summary>
    public async Task<LogNode> StartNodeAsync(string name = "node")
    {
        var settings = new NpgsqlConnectionStringBuilder(ConnectionString) { ApplicationName = name };
        return await LogNode.StartAsync(await OpenAsync(settings.ConnectionString, applySchema: false));
    }

    /// <summary>Runs one statement and answers its first value.</summary>
    public async Task<object?> ExecuteAsync(string sql, params object[] arguments)
    {
        await using var command = Source.CreateCommand(sql);
        foreach (var argument in arguments)
            command.Parameters.Add(new() { Value = argument });
        return await command.ExecuteScalarAsync();
    }

    /// <summary>
    /// The names that the events of a stream carry, in the order of their versions, which must have no gap.
    /// </summary>
    public async Task<string[]> NamesAsync(Guid stream)
    {
        await using var command = Source.CreateCommand(
            "select version, data ->> 'name' from mt_events where stream_id = $1 order by version"
        );
        command.Parameters.Add(new() { Value = stream });
        var names = new List<string>();
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
        {
            names.Add(row.GetString(1));
            Assert.Equal(names.Count, row.GetInt64(0));
        }
        return [.. names];
    }

    /// <summary>Opens the database as a node does.</summary>
    internal static Task<NodeDatabase> OpenAsync(string connectionString, bool applySchema) =>
        NodeDatabase.OpenAsync(
            new(
                new ConfigurationBuilder()
                    .AddInMemoryCollection([
                        new("ConnectionStrings:Resources", connectionString),
                        new("Schema:ApplyOnStart", $"{applySchema}"),
                    ])
                    .Build(),
                Host.CreateEmptyApplicationBuilder(null).Environment
            ),
            NullLoggerFactory.Instance
        );
}

/// <summary>One node's event log with what it needs, and nothing else of a node.</summary>
public sealed class LogNode : IAsyncDisposable
{
    readonly NodeDatabase database;
    readonly DocumentStore store;
    readonly StoreContact contact;

    LogNode(NodeDatabase database)
    {
        this.database = database;
        var kinds = new EventKinds();
        store = DocumentStore.For(options => MartenSetup.Configure(options, database.Source, kinds));
        contact = new(
            database.Source,
            (_, _) => Task.FromResult(true),
            TimeProvider.System,
            NullLogger<StoreContact>.Instance
        );
        Log = new(database.Source, store, contact, new(), kinds, NullLogger<EventLog>.Instance);
    }

    public EventLog Log { get; }

    public static async Task<LogNode> StartAsync(NodeDatabase database)
    {
        var node = new LogNode(database);
        await node.contact.StartAsync(default);
        await node.Log.StartAsync(default);
        return node;
    }

    /// <summary>Appends one event for each name.</summary>
    public Task<Appended?> AppendAsync(Guid stream, long expectedVersion, params string[] names) =>
        Log.AppendAsync(stream, expectedVersion, [.. names.Select(name => new ResourceRenamed(name))], Intend());

    public async ValueTask DisposeAsync()
    {
        await Log.StopAsync(default);
        await contact.StopAsync(default);
        Log.Dispose();
        contact.Dispose();
        store.Dispose();
        await database.DisposeAsync();
    }

    static Intent Intend() => new(Guid.CreateVersion7(), "tester", null, null, Conditions.None);
}
