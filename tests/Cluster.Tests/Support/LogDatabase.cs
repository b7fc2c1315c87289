using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// A database with the whole schema, for one class of tests, and event logs over it. Each log has a pool of its own, as
/// on a separate node.
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
    public async Task<StandaloneLog> StartLogAsync(string name = "node")
    {
        var settings = new NpgsqlConnectionStringBuilder(ConnectionString) { ApplicationName = name };
        return await StandaloneLog.StartAsync(await OpenAsync(settings.ConnectionString, applySchema: false));
    }

    /// <summary>Runs one statement and answers its first value.</summary>
    public async Task<object?> ExecuteAsync(string sql, params object[] arguments)
    {
        await using var command = Source.CreateCommand(sql);
        foreach (var argument in arguments)
            command.Parameters.Add(new() { Value = argument });
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Holds the log's lock until disposed, so that appends gather in one batch behind it.</summary>
    public async Task<NpgsqlConnection> HoldLockAsync()
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString
        );
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("select pg_advisory_lock(7238163)", connection);
        await command.ExecuteNonQueryAsync();
        return connection;
    }

    /// <summary>The names in the events of a stream, in the order of their versions, which must have no gap.</summary>
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

    /// <summary>The pools of a node that takes its database for present.</summary>
    internal static DbRoles RolesOf(NodeDatabase node) =>
        node.Roles(new(TimeProvider.System, NullLogger<StoreContact>.Instance));

    /// <summary>Opens the database as a node does.</summary>
    internal static Task<NodeDatabase> OpenAsync(
        string connectionString,
        bool applySchema,
        params (string Key, string Value)[] options
    ) =>
        NodeDatabase.OpenAsync(
            new(
                new ConfigurationBuilder()
                    .AddInMemoryCollection([
                        new("ConnectionStrings:Resources", connectionString),
                        new("Schema:ApplyOnStart", $"{applySchema}"),
                        .. options.Select(option => KeyValuePair.Create(option.Key, (string?)option.Value)),
                    ])
                    .Build(),
                Host.CreateEmptyApplicationBuilder(null).Environment
            ),
            NodeFeature.All,
            NullLoggerFactory.Instance
        );
}
