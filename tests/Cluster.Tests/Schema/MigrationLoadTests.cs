using System.Diagnostics;
using Npgsql;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Migrations of a database in use: writes go on.</summary>
public sealed class MigrationLoadTests(LogDatabase database) : IClassFixture<LogDatabase>
{
    const string Indexes =
        "mt_events_access, mt_events_audit, mt_events_accounts, mt_events_of_account, mt_events_commands";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Indexes_of_a_large_log_are_built_beside_appends()
    {
        await FillAsync(400_000);
        // As after a start that was killed while it built one.
        await database.ExecuteAsync(
            """
            create index mt_events_audit on mt_events (seq_id) where type not like 'resource.%';
            update pg_index set indisvalid = false where indexrelid = 'mt_events_audit'::regclass;
            """
        );

        var (migration, longest) = await BesideAppendsAsync(() =>
            Schema.Of(database.ConnectionString, []).ApplyAsync(Cancelled)
        );

        Assert.True(longest < migration / 2, $"An append took {longest}, the migration {migration}.");
        Assert.Equal(
            5L,
            await database.ExecuteAsync(
                "select count(*) from pg_index where indexrelid::regclass::text = any ($1) and indisvalid",
                (object)Indexes.Split(", ")
            )
        );
    }

    /// <summary>Whoever waits for a strong lock makes everybody wait who comes after.</summary>
    [Fact]
    public async Task Script_that_waits_for_a_lock_lets_appends_pass()
    {
        await using var report = await database.Source.OpenConnectionAsync(Cancelled);
        await using var transaction = await report.BeginTransactionAsync(Cancelled);
        await using (var reads = new NpgsqlCommand("select count(*) from mt_events", report))
            await reads.ExecuteScalarAsync(Cancelled);

        var attempts = new List<TimeSpan>();
        var (migration, longest) = await BesideAppendsAsync(async () =>
        {
            var applied = new Schema(database.ConnectionString, [new StrongPart(attempts)]).ApplyAsync(Cancelled);
            await Eventually.HoldsAsync(() => attempts.Count >= 3, TimeSpan.FromSeconds(30));
            await transaction.RollbackAsync(Cancelled);
            await applied;
        });

        Assert.True(longest < migration / 2, $"{longest} of {migration}");
        Assert.Equal(1L, await database.ExecuteAsync("select count(*) from schema_scripts where name = 'strong'"));
    }

    /// <summary>Runs a migration while a node appends. Returns how long it took, and the longest append meanwhile.</summary>
    async Task<(TimeSpan Migration, TimeSpan Longest)> BesideAppendsAsync(Func<Task> migrate)
    {
        await using var log = await database.StartLogAsync();
        await log.AppendAsync(Guid.CreateVersion7(), 0, "first");
        using var done = new CancellationTokenSource();
        var appends = Task.Run(
            async () =>
            {
                var longest = TimeSpan.Zero;
                while (!done.IsCancellationRequested)
                {
                    var watch = Stopwatch.StartNew();
                    Assert.NotNull(await log.AppendAsync(Guid.CreateVersion7(), 0, "beside"));
                    longest = watch.Elapsed > longest ? watch.Elapsed : longest;
                }
                return longest;
            },
            Cancelled
        );
        var migration = Stopwatch.StartNew();
        await migrate();
        migration.Stop();
        await done.CancelAsync();
        return (migration.Elapsed, await appends);
    }

    async Task FillAsync(int events)
    {
        await database.ExecuteAsync($"drop index {Indexes}");
        await database.ExecuteAsync(
            """
            with stream as (insert into mt_streams (id, version, timestamp, created) values (gen_random_uuid(), $1, now(), now()) returning id)
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, headers)
            select nextval('mt_events_sequence'), gen_random_uuid(), id, n, '{}', 'session.started', now(), 'none', '{"fingerprint":"x"}'
            from stream, generate_series(1, $1) n
            """,
            events
        );
    }

    sealed class StrongPart(List<TimeSpan> attempts) : SchemaPart("strong", "alter table mt_events")
    {
        public override async Task ApplyAsync(NpgsqlConnection connection, CancellationToken ct)
        {
            attempts.Add(Stopwatch.GetElapsedTime(0));
            await using var command = new NpgsqlCommand("alter table mt_events add column spare int", connection);
            await command.ExecuteNonQueryAsync(ct);
        }
    }
}
