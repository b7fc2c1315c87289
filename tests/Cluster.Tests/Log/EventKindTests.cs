using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging.Abstractions;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>The database says the same about kinds of events as their declarations in C#.</summary>
public sealed partial class EventKindTests(TestPostgres postgres) : IAsyncLifetime
{
    static readonly EventKinds Kinds = new(NodeFeature.All.Select(feature => feature.Assembly));

    /// <summary>Names that no feature of the product declares.</summary>
    static readonly string[] Foreign =
    [
        "",
        "resource",
        "resources.created",
        "resource.tagged",
        "Resource.created",
        "role.changed.twice",
        "session.ended ",
        "xrole.changed",
        "note.pinned",
    ];

    readonly LogDatabase database = new(postgres);
    NodeDatabase node = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await database.InitializeAsync();
        node = await LogDatabase.OpenAsync(database.ConnectionString, applySchema: false);
    }

    public async ValueTask DisposeAsync()
    {
        await node.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task Functions_decide_as_the_declarations_say()
    {
        Assert.Equal(
            Kinds.All.Where(kind => kind.ChangesAccess).Select(kind => kind.Name),
            await WhereAsync("changes_access(type)")
        );
        Assert.Equal(
            EventKinds.OfResources.Append("resource.tagged").Order(StringComparer.Ordinal),
            await WhereAsync("is_of_resource(type)")
        );
        Assert.All(await WhereAsync("is_of_resource(type)"), name => Assert.True(EventKind.IsOfResource(name)));
    }

    /// <summary>An index repeats what a function says: a query that calls the function finds all its events there.</summary>
    [Theory]
    [InlineData("mt_events_access", "changes_access(type)")]
    [InlineData("mt_events_audit", "not is_of_resource(type)")]
    public async Task An_index_holds_what_its_function_takes(string index, string function) =>
        Assert.Equal(await WhereAsync(function), await WhereAsync(await PredicateAsync(index)));

    [Fact]
    public async Task Indexes_name_no_kind_that_is_not_declared()
    {
        var predicates = (string[])
            (
                await database.ExecuteAsync(
                    """
                    select array_agg(pg_get_expr(indpred, indrelid)) from pg_index where indrelid = 'mt_events'::regclass and indpred is not null
                    """
                )
            )!;
        Assert.True(predicates.Length >= 5);
        Assert.All(
            predicates.SelectMany(predicate => Literal().Matches(predicate)).Select(match => match.Groups[1].Value),
            name => Assert.True(Kinds.Contains(name), name)
        );
    }

    /// <summary>One look at the index, also where the head is asked for in the middle of another statement.</summary>
    [Fact]
    public async Task The_head_of_the_log_is_no_call_of_a_function()
    {
        await database.ExecuteAsync(Append("resource.created", 100));
        foreach (
            var statement in new[]
            {
                "select head from log_head()",
                "select name, (select head from log_head()) from followers",
                "select position, head from resource_views_position, log_head()",
            }
        )
        {
            var plan = string.Join(
                '\n',
                (string[])(await ExplainAsync($"set enable_seqscan = off; explain (costs off) {statement}"))
            );
            Assert.Contains("Index Only Scan Backward using pkey_mt_events_seq_id", plan, StringComparison.Ordinal);
            Assert.DoesNotContain("Function Scan", plan, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_audit_shows_kinds_that_no_feature_of_this_process_declares_and_reads_them_by_its_index()
    {
        await database.ExecuteAsync(Append("resource.created", 20_000));
        await database.ExecuteAsync(Append("note.pinned", 3));
        await database.ExecuteAsync("analyze mt_events");
        var rows = await RowsAsync();

        var (entries, reached) = await new AuditQueries(node.Source, Contact()).PageAsync(
            long.MaxValue,
            new(null, null, null, ["note.*"], null, null),
            10,
            Cancelled
        );

        Assert.Equal(["note.pinned", "note.pinned", "note.pinned"], entries.Select(entry => entry.Type));
        Assert.Equal(0, reached);
        await Eventually.HoldsAsync(
            async () => await RowsAsync() > rows,
            TimeSpan.FromSeconds(10),
            () => "the read is counted"
        );
        Assert.InRange(await RowsAsync() - rows, 1, 10);
    }

    /// <summary>A node of the next release may write kinds that change access, and its migration lists them.</summary>
    [Fact]
    public async Task Readers_of_access_pass_over_kinds_that_they_do_not_know()
    {
        await database.ExecuteAsync(
            """
            create or replace function changes_access(event_type text) returns boolean language sql immutable parallel safe
            return event_type = any ('{note.pinned,account.enabled}')
            """
        );
        await database.ExecuteAsync(Append("note.pinned", 1_500));
        await database.ExecuteAsync(Append("account.enabled", 1));
        var log = new AccessLog(node.Source, Contact(), new(node.Source, Contact(), TimeProvider.System), Kinds);

        var (first, reached) = await log.AfterAsync(0, Cancelled);
        var (second, head) = await log.AfterAsync(reached, Cancelled);
        var (recent, _) = await log.SinceAsync(DateTimeOffset.UtcNow.AddHours(-1), Cancelled);

        Assert.Equal((1_000, 1_501), (reached, head));
        Assert.IsType<AccountEnabled>(Assert.Single(first.Concat(second), read => read.Data is not null).Data);
        Assert.IsType<AccountEnabled>(Assert.Single(recent, read => read.Data is not null).Data);
    }

    /// <summary>Of all names, declared and foreign, those that a condition on <c>type</c> takes, in order.</summary>
    async Task<string[]> WhereAsync(string condition) =>
        (string[])
            (
                await database.ExecuteAsync(
                    $$"""
                    select coalesce(array_agg(type::text order by type collate "C"), '{}') from unnest($1::varchar[]) as names(type) where {{condition}}
                    """,
                    (object)Kinds.All.Select(kind => kind.Name).Concat(Foreign).ToArray()
                )
            )!;

    async Task<string> PredicateAsync(string index) =>
        (string)
            (
                await database.ExecuteAsync(
                    "select pg_get_expr(indpred, indrelid) from pg_index where indexrelid = $1::text::regclass",
                    index
                )
            )!;

    async Task<string[]> ExplainAsync(string sql)
    {
        await using var command = database.Source.CreateCommand(sql);
        var lines = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(Cancelled);
        while (await reader.ReadAsync(Cancelled))
            lines.Add(reader.GetString(0));
        return [.. lines];
    }

    /// <summary>Rows of the log that were read, by whatever way.</summary>
    async Task<long> RowsAsync()
    {
        await using var flush = node.Source.CreateCommand("select pg_stat_force_next_flush()");
        await flush.ExecuteNonQueryAsync(Cancelled);
        return (long)
            (
                await database.ExecuteAsync(
                    """
                    select seq_tup_read + (select sum(idx_tup_read)::bigint from pg_stat_user_indexes where relname = 'mt_events') from pg_stat_user_tables where relname = 'mt_events'
                    """
                )
            )!;
    }

    StoreContact Contact() =>
        new(node.Source, (_, _) => Task.FromResult(true), TimeProvider.System, NullLogger<StoreContact>.Instance);

    /// <summary>A number of streams with one event each.</summary>
    static string Append(string name, int streams) =>
        $$"""
            with made as (
                insert into mt_streams (id, version, timestamp, created) select gen_random_uuid(), 1, now(), now() from generate_series(1, {{streams}}) returning id
            )
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type)
            select nextval('mt_events_sequence'), gen_random_uuid(), id, 1, '{}', '{{name}}', now(), '' from made
            """;

    [GeneratedRegex(@"'(\w+\.\w+)'")]
    private static partial Regex Literal();
}
