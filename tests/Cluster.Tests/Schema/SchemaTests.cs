using Npgsql;
using Resources.Silo;

namespace Resources.Cluster.Tests;

public sealed class SchemaTests(TestPostgres postgres)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nodes_that_start_together_apply_each_script_once_in_order()
    {
        var database = await postgres.CreateDatabaseAsync();
        var pending = await Schema.PendingAsync(database, Cancelled);
        Assert.Equal(
            ["001_orleans_clustering.sql", "002_orleans_reminders.sql", "003_orleans_storage.sql"],
            pending.Take(3)
        );
        var inside = 0;
        var mostInside = 0;
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
        var once = await CatalogueAsync(database);
        var queries = await CountAsync(database, "orleansquery");

        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);

        Assert.Equal(once, await CatalogueAsync(database));
        Assert.Equal(queries, await CountAsync(database, "orleansquery"));
    }

    [Fact]
    public async Task Start_of_a_second_node_changes_nothing()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var first = await LogDatabase.OpenAsync(database, applySchema: true);
        var once = await CatalogueAsync(database);

        await using var second = await LogDatabase.OpenAsync(database, applySchema: true);

        Assert.Equal(once, await CatalogueAsync(database));
        Assert.Contains(once, line => line.Contains("mt_events_commands", StringComparison.Ordinal));
    }

    /// <summary>Older builds let Marten drop these indexes, although their scripts count as applied.</summary>
    [Fact]
    public async Task Missing_indexes_of_the_log_are_restored()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);
        var whole = await CatalogueAsync(database);
        await ExecuteAsync(
            database,
            """
            drop index mt_events_access, mt_events_audit, mt_events_accounts, mt_events_of_account, mt_events_commands;
            delete from schema_scripts where name in ('098_lost_indexes.sql', '100_event_kinds.sql');
            """
        );
        Assert.NotEqual(whole, await CatalogueAsync(database));

        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);

        Assert.Equal(whole, await CatalogueAsync(database));
    }

    [Fact]
    public async Task Failure_in_Marten_records_nothing_and_the_next_attempt_succeeds()
    {
        var database = await postgres.CreateDatabaseAsync();
        var before = await Schema.PendingAsync(database, Cancelled);

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            Schema.ApplyAsync(database, _ => throw new InvalidOperationException(), Cancelled)
        );
        Assert.Equal(before, await Schema.PendingAsync(database, Cancelled));

        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);
        Assert.Empty(await Schema.PendingAsync(database, Cancelled));
    }

    /// <summary>On a database of the previous version, with rows, in the middle of a rebuild.</summary>
    [Fact]
    public async Task Existing_generations_get_their_lexicon()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);
        await ExecuteAsync(
            database,
            """
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
            """
        );
        static string Row(int generation, string words) =>
            $"insert into resource_views_{generation} values (gen_random_uuid(), '', '', '', '{{}}', '', 1, "
            + $"now(), '', now(), '', null, '{words}');";
        await ExecuteAsync(database, Row(1, "faust goethe") + Row(1, "faust:1A") + Row(2, "faust lenz"));

        await Schema.ApplyAsync(database, _ => ApplyMartenAsync(database), Cancelled);
        await ExecuteAsync(database, Row(1, "faust schiller"));
        await ExecuteAsync(
            database,
            "update resource_views_2 set words = 'faust moritz'; select publish_resource_views(2)"
        );

        Assert.Equal(3, await CountAsync(database, "resource_words_1 where word in ('faust', 'goethe', 'schiller')"));
        Assert.Equal(3, await CountAsync(database, "resource_words where word in ('faust', 'lenz', 'moritz')"));
    }

    internal static async Task ApplyMartenAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await NodeDatabase.ApplyMartenAsync(source);
    }

    static async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancelled);
    }

    /// <summary>Every column, index, constraint, trigger and function of the database, a line each.</summary>
    static async Task<string[]> CatalogueAsync(string database)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(
            """
            select array(
                select format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) from information_schema.columns where table_schema = 'public'
                union all select indexdef from pg_indexes where schemaname = 'public'
                union all select format('constraint %s on %s %s', conname, conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint where connamespace = 'public'::regnamespace
                union all select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
                union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'public'::regnamespace and prokind <> 'a'
                order by 1)
            """,
            connection
        );
        return (string[])(await command.ExecuteScalarAsync(Cancelled))!;
    }

    static async Task<long> CountAsync(string database, string table)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand($"select count(*) from {table}", connection);
        return (long)(await command.ExecuteScalarAsync(Cancelled))!;
    }
}
