using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Servers and databases that cannot be used are refused before anything is made in them.</summary>
public sealed class ServerRequirementsTests(TestPostgres postgres)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Other_encoding_is_refused()
    {
        var database = await postgres.CreateDatabaseAsync();
        await ExecuteAsync(database, "create database latin encoding 'LATIN1' locale 'C' template template0");
        var latin = new NpgsqlConnectionStringBuilder(database) { Database = "latin" }.ConnectionString;

        await RefusedAsync(latin, "The database has the encoding LATIN1");

        await ExecuteAsync(database, "drop database latin with (force)");
    }

    [Fact]
    public async Task Read_only_database_is_refused()
    {
        var database = await postgres.CreateDatabaseAsync();
        await ExecuteAsync(database, $"alter database {NameOf(database)} set default_transaction_read_only = on");
        await RefusedAsync(database, "The database is read-only");
    }

    [Fact]
    public async Task Database_without_the_public_schema_is_refused()
    {
        var database = await postgres.CreateDatabaseAsync();
        await ExecuteAsync(database, "drop schema public");
        await RefusedAsync(database, "The database has no schema named public");
    }

    [Theory]
    [InlineData(1, "3600 s ahead of")]
    [InlineData(-1, "3600 s behind")]
    public async Task Clock_that_is_an_hour_off_is_refused(int hours, string expected)
    {
        var clock = new NodeClock { Ahead = TimeSpan.FromHours(hours) };
        var refused = await Assert.ThrowsAsync<ConfigurationException>(async () =>
            await ServerRequirements.CheckAsync(
                await postgres.CreateDatabaseAsync(),
                1,
                clock,
                NullLogger.Instance,
                Cancelled
            )
        );
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_few_connections_are_warned_of()
    {
        var database = await postgres.CreateDatabaseAsync();
        await ExecuteAsync(database, $"alter database {NameOf(database)} connection limit 20");
        var logs = new Lines();
        await ServerRequirements.CheckAsync(database, 80, TimeProvider.System, logs, Cancelled);
        Assert.Equal(
            "PostgreSQL allows 20 connections, and this node may open 80. Raise max_connections, or lower Database__MaxPoolSize",
            Assert.Single(logs.All)
        );
    }

    /// <summary>Whatever the database prefers, all tables are in one schema.</summary>
    [Fact]
    public async Task Search_path_of_the_database_does_not_divide_the_schema()
    {
        var database = await postgres.CreateDatabaseAsync();
        await ExecuteAsync(
            database,
            $"create schema app; alter database {NameOf(database)} set search_path = app, public"
        );
        await using (await LogDatabase.OpenAsync(database, applySchema: true)) { }

        await using var source = NpgsqlDataSource.Create(database);
        await using var others = source.CreateCommand(
            "select count(*) from pg_class where relnamespace = 'app'::regnamespace"
        );
        Assert.Equal(0L, await others.ExecuteScalarAsync(Cancelled));
        var chosen = new NpgsqlConnectionStringBuilder(database) { SearchPath = "app" }.ConnectionString;
        await Assert.ThrowsAsync<ConfigurationException>(() => LogDatabase.OpenAsync(chosen, applySchema: true));
    }

    [Theory]
    [InlineData("db.example.org", "db.example.org", 5432)]
    [InlineData("db.example.org:5433", "db.example.org", 5433)]
    [InlineData("127.0.0.1:5433", "127.0.0.1", 5433)]
    [InlineData("::1", "::1", 5432)]
    [InlineData("[::1]", "::1", 5432)]
    [InlineData("[fe80::1]:5433", "fe80::1", 5433)]
    [InlineData("/var/run/postgresql", "/var/run/postgresql", 5432)]
    public void Host_of_a_connection_string_is_read_as_the_driver_reads_it(string given, string host, int port) =>
        Assert.Equal((host, port), NodeAddress.OfHost(given, 5432));

    [Theory]
    [InlineData("::1")]
    [InlineData("127.0.0.2")]
    public void Address_of_the_node_has_the_family_of_the_database(string database)
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        Assert.Equal(
            IPAddress.Parse(database).AddressFamily,
            NodeAddress.Advertised(null, (database, 5432)).AddressFamily
        );
    }

    static async Task RefusedAsync(string database, string expected)
    {
        var refused = await Assert.ThrowsAsync<ConfigurationException>(() =>
            LogDatabase.OpenAsync(database, applySchema: true)
        );
        Assert.StartsWith(expected, refused.Message, StringComparison.Ordinal);
        await using var source = NpgsqlDataSource.Create(database);
        await using var tables = source.CreateCommand(
            "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        );
        Assert.Equal(0L, await tables.ExecuteScalarAsync(Cancelled));
    }

    sealed class Lines : ILogger
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => All.Add(formatter(state, exception));
    }

    static string NameOf(string database) => new NpgsqlConnectionStringBuilder(database).Database!;

    static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancelled);
    }
}
