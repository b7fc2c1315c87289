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

    /// <summary>A database of the version before, with rows, in the middle of a rebuild.</summary>
    [Fact]
    public async Task Generations_that_are_there_get_their_lexicon()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);
        await ExecuteAsync(database, """
            select create_resource_views(2);
            drop view resource_words;
            drop table resource_words_1, resource_words_2;
            drop function keep_resource_words cascade;
            drop function create_resource_words;
            drop function create_resource_views, publish_resource_views, drop_other_resource_views;
            alter function create_resource_view_tables rename to create_resource_views;
            alter function publish_resource_view_tables rename to publish_resource_views;
            alter function drop_other_resource_view_tables rename to drop_other_resource_views;
            delete from schema_scripts where name = '050_search_words.sql';
            """);
        static string Row(int generation, string words) => $"insert into resource_views_{generation} values (gen_random_uuid(), '', '', '', '{{}}', '', 1, now(), '', now(), '', null, '{words}');";
        await ExecuteAsync(database, Row(1, "faust goethe") + Row(1, "faust:1A") + Row(2, "faust lenz"));

        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);
        await ExecuteAsync(database, Row(1, "faust schiller"));
        await ExecuteAsync(database, "update resource_views_2 set words = 'faust moritz'; select publish_resource_views(2)");

        Assert.Equal(3, await CountAsync(database, "resource_words_1 where word in ('faust', 'goethe', 'schiller')"));
        Assert.Equal(3, await CountAsync(database, "resource_words where word in ('faust', 'lenz', 'moritz')"));
    }

    internal static async Task ApplyMartenAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await NodeDatabase.ApplyMartenAsync(source);
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancelled);
    }

    private static async Task<long> CountAsync(string database, string table)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand($"select count(*) from {table}", connection);
        return (long)(await command.ExecuteScalarAsync(Cancelled))!;
    }
}
