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
    public async Task Index_holds_what_its_function_takes(string index, string function) =>
        Assert.Equal(await WhereAsync(function), await WhereAsync(await PredicateAsync(index)));

    [Fact]
    public async Task Indexes_name_only_declared_kinds()
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
    public async Task Head_of_the_log_is_inlined_into_its_statement()
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
    public async Task Audit_shows_unknown_kinds_and_reads_its_index()
    {
        await database.ExecuteAsync(Append("resource.created", 20_000));
        await database.ExecuteAsync(Append("note.pinned", 3));
        await database.ExecuteAsync("analyze mt_events");
        var rows = await RowsAsync();

        var (entries, reached) = await new AuditQueries(Pools.Reads).PageAsync(
            long.MaxValue,
            new(null, null, null, ["note.*"], null, null),
            10,
            Cancelled
        );

        Assert.Equal(["note.pinned", "note.pinned", "note.pinned"], entries.Select(entry => entry.Type));
        Assert.Equal(0, reached);
        await Eventually.HoldsAsync(async () => await RowsAsync() > rows);
        Assert.InRange(await RowsAsync() - rows, 1, 10);
    }

    /// <summary>A node of the next release may write kinds that change access, and its migration lists them.</summary>
    [Fact]
    public async Task Readers_of_access_skip_unknown_kinds()
    {
        await database.ExecuteAsync(
            """
            create or replace function changes_access(event_type text) returns boolean language sql immutable parallel safe
            return event_type = any ('{note.pinned,account.enabled}')
            """
        );
        await database.ExecuteAsync(Append("note.pinned", 1_500));
        await database.ExecuteAsync(Append("account.enabled", 1));
        var log = new AccessLog(Pools.Control, new(Pools.Control, Pools.Reads, TimeProvider.System), Kinds);

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
        await Pools.Reads.ExecuteAsync("select pg_stat_force_next_flush()", [], Cancelled);
        return (long)
            (
                await database.ExecuteAsync(
                    """
                    select seq_tup_read + (select sum(idx_tup_read)::bigint from pg_stat_user_indexes where relname = 'mt_events') from pg_stat_user_tables where relname = 'mt_events'
                    """
                )
            )!;
    }

    DbRoles Pools => LogDatabase.RolesOf(node);

    /// <summary>A number of streams with one event each.</summary>
    static string Append(string name, int streams, string data = "{}") =>
        $$"""
            with made as (
                insert into mt_streams (id, version, timestamp, created) select gen_random_uuid(), 1, now(), now() from generate_series(1, {{streams}}) returning id
            )
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, user_name, mt_dotnet_type)
            select nextval('mt_events_sequence'), gen_random_uuid(), id, 1, '{{data}}', '{{name}}', now(), 'tester', '' from made
            """;

    [GeneratedRegex(@"'(\w+\.\w+)'")]
    private static partial Regex Literal();
}
