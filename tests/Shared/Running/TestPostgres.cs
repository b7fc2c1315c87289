using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Resources.Silo;

namespace Resources.Tests;

/// <summary>One PostgreSQL for all tests of an assembly, with a separate database for each class that asks.</summary>
public sealed class TestPostgres : IAsyncLifetime
{
    readonly TestDirectory directory = new();
    EmbeddedPostgres server = null!;
    int databases;

    public async ValueTask InitializeAsync() =>
        server = await EmbeddedPostgres.StartAsync(
            new() { DataDirectory = directory.Path },
            NullLogger.Instance,
            TestContext.Current.CancellationToken
        );

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        directory.Dispose();
    }

    /// <summary>Creates an empty database and returns its connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref databases)}";
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"create database {name}", connection);
        await create.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name }.ConnectionString;
    }
}
