using Npgsql;
using Resources.Silo;

namespace Resources.Cluster.Tests;

public sealed class SchemaTests(TestPostgres postgres)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nodes_that_start_together_apply_each_part_once_in_order()
    {
        var database = await postgres.CreateDatabaseAsync();
        var pending = await Of(database).PendingAsync(Cancelled);
        Assert.StartsWith("marten/9.", pending[0], StringComparison.Ordinal);
        Assert.Equal(
            ["001_orleans_clustering.sql", "002_orleans_reminders.sql", "003_orleans_storage.sql"],
            pending.Skip(1).Take(3)
        );
        var slow = new Part(_ => Task.Delay(100, Cancelled));
        SchemaPart[] parts = [slow, MartenPart.Of(database), .. SchemaScript.Of([])];

        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => new Schema(database, parts).ApplyAsync(Cancelled)));

        Assert.Equal(1, slow.Runs);
        Assert.Empty(await Of(database).PendingAsync(Cancelled));
        Assert.Equal(pending.Count + 1, await CountAsync(database, "schema_scripts"));
    }

    [Fact]
    public async Task Applying_twice_changes_nothing()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Of(database).ApplyAsync(Cancelled);
        var once = await CatalogueAsync(database);
        var queries = await CountAsync(database, "orleansquery");

        await Of(database).ApplyAsync(Cancelled);

        Assert.Equal(once, await CatalogueAsync(database));
        Assert.Equal(queries, await CountAsync(database, "orleansquery"));
    }

    /// <summary>Marten drops indexes that it does not know: that shows whether it has run.</summary>
    [Fact]
    public async Task Marten_runs_once_for_each_version_and_keeps_the_indexes_of_scripts()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Of(database).ApplyAsync(Cancelled);
        await ExecuteAsync(
            database,
            "create index mt_events_later on mt_events (version); create index foreign_to_marten on mt_events (version)"
        );
        var before = await CatalogueAsync(database);

        await Of(database).ApplyAsync(Cancelled);
        Assert.Equal(before, await CatalogueAsync(database));

        await ExecuteAsync(database, "update schema_scripts set name = 'marten/9.0.0' where name like 'marten/%'");
        await Of(database).ApplyAsync(Cancelled);
        Assert.Equal(
            before.Where(line => !line.Contains("foreign_to_marten", StringComparison.Ordinal)),
            await CatalogueAsync(database)
        );
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
        await Of(database).ApplyAsync(Cancelled);
        var whole = await CatalogueAsync(database);
        await ExecuteAsync(
            database,
            """
            drop index mt_events_access, mt_events_audit, mt_events_accounts, mt_events_of_account, mt_events_commands;
            delete from schema_scripts where name in ('098_lost_indexes.sql', '100_event_kinds.sql', '123_lost_indexes.sql');
            """
        );
        Assert.NotEqual(whole, await CatalogueAsync(database));

        await Of(database).ApplyAsync(Cancelled);

        Assert.Equal(whole, await CatalogueAsync(database));
    }

    [Fact]
    public async Task Failing_part_is_not_recorded_and_the_next_attempt_succeeds()
    {
        var database = await postgres.CreateDatabaseAsync();
        var before = await Of(database).PendingAsync(Cancelled);
        var failing = new Part(_ => throw new InvalidOperationException());

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            new Schema(database, [failing, .. SchemaScript.Of([])]).ApplyAsync(Cancelled)
        );
        Assert.Equal(before, await Of(database).PendingAsync(Cancelled));

        await Of(database).ApplyAsync(Cancelled);
        Assert.Empty(await Of(database).PendingAsync(Cancelled));
    }

    [Fact]
    public async Task Script_that_changed_since_it_was_applied_is_refused_and_nothing_is_applied()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Of(database).ApplyAsync(Cancelled);
        await ExecuteAsync(
            database,
            """
            update schema_scripts set checksum = repeat('0', 64) where name = '010_event_log.sql';
            delete from schema_scripts where name = '090_rate_limits.sql';
            drop table rate_limits
            """
        );
        const string reason =
            "010_event_log.sql has changed since it was applied to this database: "
            + "restore its text, or start the release that applied it.";

        Assert.Equal(
            reason,
            (await Assert.ThrowsAsync<ConfigurationException>(() => Of(database).ApplyAsync(Cancelled))).Message
        );
        Assert.Equal(
            reason,
            (await Assert.ThrowsAsync<ConfigurationException>(() => Of(database).PendingAsync(Cancelled))).Message
        );
        Assert.Equal(0, await CountAsync(database, "pg_class where relname = 'rate_limits'"));
    }

    /// <summary>The release before this one had no checksums, and let the readers of access use the audit's index.</summary>
    [Fact]
    public async Task Upgrade_from_the_previous_release_records_checksums()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Of(database).ApplyAsync(Cancelled);
        var fresh = await CatalogueAsync(database);
        await ExecuteAsync(
            database,
            """
            alter table schema_scripts drop column checksum;
            delete from schema_scripts where name like 'marten/%' or name in ('100_event_kinds.sql', '123_lost_indexes.sql');
            drop function is_of_resource, log_head, restore_log_indexes;
            drop index mt_events_access;
            alter index mt_events_audit rename to mt_events_access;
            """
        );
        Assert.Equal(
            ["marten", "100_event_kinds.sql", "123_lost_indexes.sql"],
            (await Of(database).PendingAsync(Cancelled)).Select(name => name.Split('/')[0])
        );

        await Of(database).ApplyAsync(Cancelled);

        Assert.Equal(fresh, await CatalogueAsync(database));
        Assert.Equal(0, await CountAsync(database, "schema_scripts where checksum is null"));
    }

    /// <summary>A node of the release before that starts later drops the indexes, which its Marten does not know.</summary>
    [Fact]
    public async Task Indexes_of_the_log_are_restored_at_the_next_start()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Of(database).ApplyAsync(Cancelled);
        var whole = await CatalogueAsync(database);
        await ExecuteAsync(
            database,
            "drop index mt_events_access, mt_events_audit, mt_events_accounts, mt_events_of_account, mt_events_commands"
        );

        await Of(database).ApplyAsync(Cancelled);

        Assert.Equal(whole, await CatalogueAsync(database));
    }

    /// <summary>This assembly has a script, as that of a feature may.</summary>
    [Fact]
    public async Task Scripts_of_a_feature_run_after_those_of_the_product()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Of(database).ApplyAsync(Cancelled);
        var extended = Schema.Of(database, [typeof(SchemaTests).Assembly, typeof(SchemaTests).Assembly]);
        Assert.Equal(["Resources.Cluster.Tests/001_notes.sql"], await extended.PendingAsync(Cancelled));

        await extended.ApplyAsync(Cancelled);

        Assert.Equal(1, await CountAsync(database, "notes where of_head is null"));
        Assert.Empty(await extended.PendingAsync(Cancelled));
        Assert.Empty(await Of(database).PendingAsync(Cancelled));
    }

    /// <summary>On a database of the previous version, with rows, in the middle of a rebuild.</summary>
    [Fact]
    public async Task Existing_generations_get_their_lexicon()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Of(database).ApplyAsync(Cancelled);
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
            $$"""
                insert into resource_views_{{generation}} values (gen_random_uuid(), '', '', '', '{}', '', 1, now(), '', now(), '', null, '{{words}}');
                """;
        await ExecuteAsync(database, Row(1, "faust goethe") + Row(1, "faust:1A") + Row(2, "faust lenz"));

        await Of(database).ApplyAsync(Cancelled);
        await ExecuteAsync(database, Row(1, "faust schiller"));
        await ExecuteAsync(
            database,
            "update resource_views_2 set words = 'faust moritz'; select publish_resource_views(2)"
        );

        Assert.Equal(3, await CountAsync(database, "resource_words_1 where word in ('faust', 'goethe', 'schiller')"));
        Assert.Equal(3, await CountAsync(database, "resource_words where word in ('faust', 'lenz', 'moritz')"));
    }

    [Fact]
    public async Task Subscriptions_that_keys_have_made_get_their_keys()
    {
        var database = await postgres.CreateDatabaseAsync();
        await Of(database).ApplyAsync(Cancelled);
        await ExecuteAsync(
            database,
            """
            alter table subscriptions drop column api_key cascade;
            drop trigger if exists keep_maker_key on subscriptions;
            drop function keep_maker_key, maker_key, api_key_permissions;
            delete from schema_scripts where name = '127_subscription_keys.sql';
            insert into mt_streams (id, version, timestamp, created) select x, 1, now(), now()
            from unnest(array['00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002']::uuid[]) x;
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, headers)
            select nextval('mt_events_sequence'), gen_random_uuid(), x, 1, '{}', t, now(), 'none', h::jsonb
            from (values
                ('00000000-0000-0000-0000-00000000000a'::uuid, 'api_key.created', null),
                ('00000000-0000-0000-0000-000000000001', 'subscription.created', '{"session":"00000000-0000-0000-0000-00000000000a"}'),
                ('00000000-0000-0000-0000-000000000002', 'subscription.created', '{"session":"00000000-0000-0000-0000-00000000000b"}')) e (x, t, h);
            insert into subscriptions (id, owner, name, filter, delivery, position, state, version)
            select stream_id, gen_random_uuid(), '', '{}', '{"kind":"pull"}', 0, 'active', 1 from mt_events where type = 'subscription.created';
            """
        );

        await Of(database).ApplyAsync(Cancelled);

        Assert.Equal(
            1,
            await CountAsync(
                database,
                "subscriptions where api_key = '00000000-0000-0000-0000-00000000000a' and id = '00000000-0000-0000-0000-000000000001'"
            )
        );
        Assert.Equal(1, await CountAsync(database, "subscriptions where api_key is null"));
    }

    static Schema Of(string database) => Schema.Of(database, []);

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

    /// <summary>A part of a test's own.</summary>
    sealed class Part(Func<NpgsqlConnection, Task> apply) : SchemaPart("test", "")
    {
        int runs;

        public int Runs => runs;

        public override async Task ApplyAsync(NpgsqlConnection connection, CancellationToken ct)
        {
            await apply(connection);
            Interlocked.Increment(ref runs);
        }
    }
}
