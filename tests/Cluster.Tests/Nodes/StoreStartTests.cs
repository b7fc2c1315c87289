using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>A node that starts while its store answers late or not at all waits for it, and serves.</summary>
public sealed class StoreStartTests(TestPostgres postgres)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("signing_keys", "secrets")]
    [InlineData("mt_events", "what is known of access")]
    public async Task Node_waits_for_a_store_that_does_not_answer_yet(string table, string what)
    {
        var connectionString = await postgres.CreateDatabaseAsync();
        await using (await ServerProcess.StartReadyAsync(connectionString, "store-start")) { }
        await using var database = NpgsqlDataSource.Create(connectionString);
        await using var connection = await database.OpenConnectionAsync(Cancelled);
        // Statements of the node end soon, and with the same code as when the server is shut down or overloaded.
        await ExecuteAsync(
            connection,
            $"""
            do $$ begin execute format('alter database %I set lock_timeout = ''300ms''', current_database()); end $$;
            begin;
            lock table {table} in access exclusive mode
            """
        );

        await using var node = ServerProcess.Start(connectionString, "store-start");
        await Eventually.HoldsAsync(
            () => node.Lines.Any(line => line.Contains($"to read {what}", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(60),
            () => $"the node says what it waits for. {node.Log}"
        );
        await ExecuteAsync(connection, "rollback");

        await node.ReadyAsync();
        Assert.NotEmpty(await node.SignInAsync());
    }

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancelled);
    }
}
