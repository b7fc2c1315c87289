using System.Text.Json;
using Npgsql;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Query plans on 200,000 rows: each uses an index, and a page reads little more than its rows.</summary>
public sealed class QueryPlanTests(QueryPlanTests.ManyRows rows) : IClassFixture<QueryPlanTests.ManyRows>
{
    const int Rows = 200_000;
    const int Limit = 21;

    static readonly string[] Sorts =
    [
        "-createdAt",
        "createdAt",
        "-updatedAt",
        "updatedAt",
        "name",
        "-name",
        "type",
        "-type",
        "status",
        "-status",
        "owner",
        "-owner",
        "id",
        "-id",
        "-createdAt,name",
        "-updatedAt,status,name",
        "status,-createdAt",
        "-type,createdAt",
    ];

    public static TheoryData<string, string?, string?, string?, bool> Plain()
    {
        var data = new TheoryData<string, string?, string?, string?, bool>();
        foreach (var sort in Sorts)
        foreach (var deleted in new[] { false, true })
            data.Add(sort, null, null, null, deleted);
        foreach (var sort in new[] { "-createdAt", "createdAt" })
        foreach (
            var (type, status, owner) in new[]
            {
                ("type-3", null, null),
                (null, "active", null),
                (null, null, "owner-7"),
                ("type-3", "active", null),
                ("type-3", "draft", "owner-7"),
            }
        )
            data.Add(sort, type, status, owner, false);
        return data;
    }

    /// <summary>For every sort and simple filter, at the start of the list and deep inside.</summary>
    [Theory, MemberData(nameof(Plain))]
    public async Task Page_reads_little_more_than_its_rows(
        string sort,
        string? type,
        string? status,
        string? owner,
        bool deleted
    )
    {
        Assert.True(ResourceSort.Parse(sort, out var order, out _));
        var selection = new ResourceSelection(Reach.All, type, status, owner, null, deleted);
        // A shorthand beside the one whose index is walked is a filter on the way.
        var most =
            new[] { type, status, owner }.Count(shorthand => shorthand is not null) > 1 ? 200 * Limit : 20 * Limit;
        // Deleted rows are few, and have one index, by creation: in another order all of them are sorted.
        if (deleted && order.Keys[0].Field is not SortField.CreatedAt)
            most += order.Keys.Count * ManyRows.Deleted;
        foreach (var after in new[] { null, await rows.PlaceAsync(order, deep: 100_000) })
        {
            var (plan, scanned) = await rows.ExplainAsync(parameters =>
                ResourceSql.Page(parameters, selection, order, after, Limit, counting: false, wanted: null)
            );
            Assert.DoesNotContain("Seq Scan on resource_views", plan, StringComparison.Ordinal);
            // Sorts that begin with a shared value, as name here, sort among equals.
            Assert.True(scanned <= most, $"{scanned} rows for a page of {Limit}:\n{plan}");
        }
    }

    /// <summary>Visible are some whole types and the account's own resources, wherever in the list they are.</summary>
    [Theory]
    [
        InlineData("resource/type-3"),
        InlineData("resource/rare"),
        InlineData("resource/rare resource/type-3 resource/type-4"),
        InlineData("resource/rare resource:own"),
        InlineData("resource/type-5 resource:own resource/nobodys"),
        InlineData("resource/rare resource/type-3:own")
    ]
    [InlineData("resource/type-3:own"), InlineData("")]
    public async Task Page_of_visible_resources_reads_little_more_than_its_rows(string permissions)
    {
        var texts = permissions
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(text => text.EndsWith(":own", StringComparison.Ordinal) ? $"{text[..^4]}:read:own" : $"{text}:read")
            .ToArray();
        // Of type-3 are all that this account owns.
        var visible = PermissionSet.Of(texts).ScopeOf("resource:read").Of("owner-13");
        foreach (var (order, status) in new[] { ("-createdAt", null), ("createdAt", null), ("-createdAt", "active") })
        {
            Assert.True(ResourceSort.Parse(order, out var sort, out _));
            foreach (var after in new[] { null, await rows.PlaceAsync(sort, deep: 100_000) })
            {
                var (plan, scanned) = await rows.ExplainAsync(parameters =>
                    ResourceSql.Page(
                        parameters,
                        new(visible, Status: status),
                        sort,
                        after,
                        Limit,
                        counting: false,
                        wanted: null
                    )
                );
                Assert.DoesNotContain("Seq Scan on resource_views", plan, StringComparison.Ordinal);
                Assert.True(
                    scanned <= (status is null ? 20 : 200) * Limit * Math.Max(1, texts.Length),
                    $"{scanned} rows for a page of {Limit}, {order}:\n{plan}"
                );
            }
        }
    }

    static readonly Reach Owner7 = PermissionSet.Of(["resource:read:own"]).ScopeOf("resource:read").Of("owner-7");

    static readonly Reach Few = PermissionSet
        .Of(["resource/type-3:read", "resource/rare:read", "resource:read:own"])
        .ScopeOf("resource:read")
        .Of("owner-7");

    [Theory]
    [
        InlineData("metadata.sku = \"SKU-77\"", "metadata"),
        InlineData("metadata.nested.deep = 77", "metadata"),
        InlineData("metadata.tags:\"tag-77\"", "metadata"),
        InlineData("metadata.sku = \"SKU-77\" AND status = active", "metadata")
    ]
    [
        InlineData("metadata.sku = \"SKU-77\" OR metadata.sku = \"SKU-78\"", "metadata"),
        InlineData("word77", "words"),
        InlineData("name:word77", "words"),
        InlineData("word77 word78", "words")
    ]
    [
        InlineData("type = type-3 AND metadata.price > 5", "created|type"),
        InlineData("NOT status = draft", "created|status"),
        InlineData("metadata.price >= 10", "created"),
        InlineData("-metadata.sku:*", "[a-z]+")
    ]
    [
        InlineData("name = \"name 77*\"", "name|created"),
        InlineData("id = 00000000-0000-0000-0000-000000000001", "pkey|created"),
        InlineData("createdAt > 2020-01-01T00:00:00Z", "created"),
        InlineData("owner = owner-7 AND word7", "owner|words|created")
    ]
    public async Task Filter_uses_an_index(string text, string index)
    {
        var faults = new List<FilterFault>();
        var filter = FilterParser.Parse(text, faults);
        Assert.Empty(faults);
        foreach (var visible in new[] { Reach.All, Owner7 })
        {
            var (plan, _) = await rows.ExplainAsync(
                parameters =>
                    ResourceSql.Page(
                        parameters,
                        new(visible, Filter: filter),
                        ResourceSort.Newest,
                        null,
                        Limit,
                        counting: false,
                        wanted: null
                    ),
                search: true
            );
            Assert.DoesNotContain("Seq Scan on resource_views", plan, StringComparison.Ordinal);
            Assert.Matches($"resource_views_1_({index}{(visible is null ? "" : "|owner|created")})", plan);
        }
    }

    /// <summary>A common word beside a rare one costs nothing. If all words are common, the list is walked.</summary>
    [Theory]
    [
        InlineData("word7777 all", "words"),
        InlineData("all tag477 word1234", "words"),
        InlineData("name:word7777 all", "words"),
        InlineData("all al", "created"),
        InlineData("word7777 tag", "words"),
        InlineData("word7777 nobody", ""),
        InlineData("\"tag477 all\"", "words"),
        InlineData("\"word7777 all\"", "words"),
        InlineData("\"all nobody\"", "")
    ]
    public async Task Several_words_are_found_by_the_rarest(string text, string index)
    {
        var faults = new List<FilterFault>();
        var selection = new ResourceSelection(Reach.All, Filter: FilterParser.Parse(text, faults));
        selection = selection with { Lexicon = await rows.LookUpAsync(selection.Filter) };
        var (plan, scanned) = await rows.ExplainAsync(
            parameters =>
                ResourceSql.Page(
                    parameters,
                    selection,
                    ResourceSort.Newest,
                    null,
                    Limit,
                    counting: false,
                    wanted: null
                ),
            search: true
        );
        if (index is "")
            Assert.DoesNotContain("Scan on resource_views_1", plan, StringComparison.Ordinal);
        else
            Assert.Contains($"resource_views_1_{index}", plan, StringComparison.Ordinal);
        // "tag" begins more words than are looked up.
        Assert.Equal(text.EndsWith(" tag", StringComparison.Ordinal), plan.Contains(":*", StringComparison.Ordinal));
        Assert.True(scanned <= 20 * Limit, plan);
    }

    [Fact]
    public async Task Counts_of_simple_filters_come_from_the_statistics()
    {
        foreach (
            var selection in new ResourceSelection[]
            {
                new(Reach.All),
                new(Reach.All, "type-3"),
                new(Reach.All, Status: "active"),
                new(Reach.All, Owner: "owner-7"),
                new(Owner7, "type-3", "active"),
                new(Few),
                new(Few, "type-3"),
                new(Few, Status: "active"),
            }
        )
        {
            Assert.True(ResourceSql.IsCounted(selection));
            var (plan, scanned) = await rows.ExplainAsync(parameters =>
                ResourceSql.Page(parameters, selection, ResourceSort.Newest, null, Limit, counting: true, wanted: null)
            );
            Assert.Contains("resource_statistics", plan, StringComparison.Ordinal);
            Assert.True(scanned < 200 * Limit, plan);
        }
    }

    /// <summary>A database with a full read model.</summary>
    public sealed class ManyRows(TestPostgres postgres) : IAsyncLifetime
    {
        /// <summary>How many of the rows are deleted.</summary>
        public const int Deleted = Rows / 50;

        readonly LogDatabase database = new(postgres);
        NodeDatabase node = null!;

        DbRoles Pools => LogDatabase.RolesOf(node);

        public async ValueTask InitializeAsync()
        {
            await database.InitializeAsync();
            node = await LogDatabase.OpenAsync(database.ConnectionString, applySchema: false);
            await ExecuteAsync(
                $$"""
                insert into resource_views_1
                select md5(i::text)::uuid, case when i between 101 and 130 then 'rare' else 'type-' || i % 10 end, 'name ' || i, case when i % 10 = 0 then 'draft' else 'active' end,
                    jsonb_build_object('sku', 'SKU-' || i, 'price', i % 1000, 'nested', jsonb_build_object('deep', i), 'tags', jsonb_build_array('tag-' || i % 5000, 'all')),
                    'owner-' || i % 100, 1, '2026-01-01'::timestamptz + i * interval '1 second', 'somebody', '2026-02-01'::timestamptz + (i * 7919 % {{Rows}}) * interval '1 second', 'somebody',
                    case when i % 50 = 0 then '2026-03-01'::timestamptz end, ('''.'':1A,1000 ''word' || i % 20000 || ''':2A ''all'':1001 ''tag' || i % 5000 || ''':1000')::tsvector
                from generate_series(1, {{Rows}}) i
                """
            );
            await ExecuteAsync(
                """
                insert into resource_statistics_1
                select scope, type, status, day, count(*) from (select type, status, created_at::date as day, owner from resource_views_1 where deleted_at is null) r, lateral (values ('*'), (owner)) s(scope) group by 1, 2, 3, 4
                """
            );
            await ExecuteAsync("vacuum analyze resource_views_1");
            await ExecuteAsync("vacuum analyze resource_statistics_1");
        }

        public async ValueTask DisposeAsync()
        {
            await node.DisposeAsync();
            await database.DisposeAsync();
        }

        /// <summary>The place of a row deep inside an order.</summary>
        internal async Task<object[]> PlaceAsync(ResourceSort sort, int deep)
        {
            await using var command = database.Source.CreateCommand(
                "select created_at, updated_at, name, type, status, owner, id from resource_views where "
                    + $"deleted_at is null order by created_at offset {deep} limit 1"
            );
            await using var row = await command.ExecuteReaderAsync();
            await row.ReadAsync();
            return
            [
                .. sort.Keys.Select(key =>
                    key.Field is SortField.CreatedAt or SortField.UpdatedAt
                        ? row.GetFieldValue<DateTimeOffset>((int)key.Field)
                        : row.GetValue((int)key.Field)
                ),
            ];
        }

        internal async Task<Lexicon> LookUpAsync(Filter? filter)
        {
            await using var connection = await Pools.Searches.OpenAsync(default);
            await using var transaction = await connection.BeginTransactionAsync();
            return await Lexicon.ReadAsync(transaction, Lexicon.BeginningsIn(filter), default);
        }

        internal Task<(string Plan, double Scanned)> ExplainAsync(
            Func<NpgsqlParameterCollection, string> write,
            bool search = false
        ) => QueryPlan.ExplainAsync(search ? Pools.Searches : Pools.Reads, write);

        async Task ExecuteAsync(string sql)
        {
            await using var command = database.Source.CreateCommand(sql);
            command.CommandTimeout = 120;
            await command.ExecuteNonQueryAsync();
        }
    }
}
