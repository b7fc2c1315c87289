using Npgsql;
using Resources.Silo;

namespace Resources.Cluster.Tests;

public sealed class SchemaTests(TestPostgres postgres)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nodes_that_start_together_apply_each_script_once_and_one_after_the_other()
    {
        var database = await postgres.CreateDatabaseAsync();
        var pending = await Schema.PendingAsync(database, Cancelled);
        Assert.Equal(["001_orleans_clustering.sql", "002_orleans_reminders.sql", "003_orleans_storage.sql"], pending.Take(3));
        var (inside, mostInside) = (0, 0);
        async Task ApplyMarten(CancellationToken _)
        {
            mostInside = Math.Max(mostInside, Interlocked.Increment(ref inside));
            await ApplyMartenAsync(database);
            Interlocked.Decrement(ref inside);
        }

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Schema.ApplyAsync(database, ApplyMarten, Cancelled)));

        Assert.Equal(1, mostInside);
        Assert.Empty(await Schema.PendingAsync(database, Cancelled));
        Assert.Equal(pending.Count, await CountAsync(database, "schema_scripts"));
    }

    [Fact]
    public async Task Applying_twice_changes_nothing()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);
        var queries = await CountAsync(database, "orleansquery");

        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);

        Assert.Equal(queries, await CountAsync(database, "orleansquery"));
    }

    [Fact]
    public async Task When_Martens_part_fails_nothing_is_recorded_and_the_next_try_succeeds()
    {
        var database = await postgres.CreateDatabaseAsync();
        var before = await Schema.PendingAsync(database, Cancelled);

        await Assert.ThrowsAsync<InvalidOperationException>(() => Schema.ApplyAsync(database, _ => throw new InvalidOperationException(), Cancelled));
        Assert.Equal(before, await Schema.PendingAsync(database, Cancelled));

        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);
        Assert.Empty(await Schema.PendingAsync(database, Cancelled));
    }

    internal static async Task ApplyMartenAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await NodeDatabase.ApplyMartenAsync(source);
    }

    private static async Task<long> CountAsync(string database, string table)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand($"select count(*) from {table}", connection);
        return (long)(await command.ExecuteScalarAsync(Cancelled))!;
    }
}
