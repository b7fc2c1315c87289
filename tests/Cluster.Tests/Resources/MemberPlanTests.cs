using System.Data;
using System.Diagnostics;
using System.Text.RegularExpressions;
using Marten;
using Npgsql;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Query plans on 200,000 resources of a type with indexed members: a page reads little more than its rows.</summary>
public sealed class MemberPlanTests(MemberPlanTests.ManyBooks books) : IClassFixture<MemberPlanTests.ManyBooks>
{
    const int Rows = 200_000;
    const int Limit = 21;

    static readonly Reach Owner7 = PermissionSet.Of(["resource:read:own"]).ScopeOf("resource:read").Of("owner-7");

    [Theory]
    [
        InlineData("metadata.price", ""),
        InlineData("-metadata.price", ""),
        InlineData("metadata.title", ""),
        InlineData("metadata.label", ""),
        InlineData("-metadata.label", ""),
        InlineData("metadata.label", "metadata.label >= \"title 9999\""),
        InlineData("metadata.price", "metadata.price >= 150000"),
        InlineData("metadata.price", "metadata.price > 150000"),
        InlineData("-metadata.price", "metadata.price <= 150000"),
        InlineData("metadata.same", "metadata.same > 0"),
        InlineData("metadata.same", "metadata.same > 1"),
        InlineData("-metadata.same", "metadata.same < 1"),
        InlineData("-metadata.price", "metadata.price < 150000 AND metadata.price > 1000"),
        InlineData("-metadata.price", "metadata.price < 150000 AND status = active")
    ]
    public async Task Page_in_the_order_of_a_member_reads_little_more_than_its_rows(string sort, string filter)
    {
        foreach (var deep in new[] { 0, 100_000 })
        {
            var (plan, scanned) = await books.ExplainAsync(Reach.All, null, sort, filter, deep);
            Assert.DoesNotContain("Seq Scan on resource", plan, StringComparison.Ordinal);
            Assert.True(scanned <= 10 * Limit, $"{scanned} rows for a page of {Limit}:\n{plan}");
        }
    }

    /// <summary>Few of the rows are drafts, or the caller's: those are sorted.</summary>
    [Fact]
    public async Task Part_of_a_type_in_the_order_of_a_member_is_found_by_the_narrower_side()
    {
        foreach (
            var (visible, status, most) in new[]
            {
                (Reach.All, "rare", 2_000),
                (Owner7, null, 2_000),
                (Reach.All, "active", 200),
            }
        )
        foreach (var sort in new[] { "metadata.price", "-metadata.price" })
        {
            var (plan, scanned) = await books.ExplainAsync(visible, status, sort, "", 0);
            Assert.DoesNotContain("Seq Scan on resource", plan, StringComparison.Ordinal);
            Assert.True(scanned <= most, $"{scanned} rows for {sort}:\n{plan}");
        }
    }

    /// <summary>A range of few rows leads to them, wherever they are; of many rows a page is soon full.</summary>
    [Theory]
    [
        InlineData("metadata.price < 1500 AND metadata.price >= 1000", "_numbers", 2_500),
        InlineData("metadata.price >= 198500", "_numbers", 7_500),
        InlineData("metadata.price >= 198500 AND status = rare", "_numbers", 7_500),
        InlineData("metadata.price = 77", "_numbers", 10),
        InlineData("metadata.title = \"title 77\"", "_texts", 10),
        InlineData("metadata.title >= \"title 9999\"", "_texts", 200),
        InlineData("metadata.price > 1000000", "_numbers", 0),
        InlineData("metadata.price >= 2000", "_(type|created)", 200),
        InlineData("metadata.scattered <= 20", "_(type|created)", 5_000)
    ]
    public async Task Range_is_driven_by_the_narrower_side(string filter, string index, int most)
    {
        var (plan, scanned) = await books.ExplainAsync(Reach.All, null, "-createdAt", filter, 0);
        Assert.DoesNotContain("Seq Scan on resource", plan, StringComparison.Ordinal);
        Assert.True(Regex.IsMatch(plan, $"resource_(views|index)_1{index}"), plan);
        Assert.True(scanned <= most, $"{scanned} rows:\n{plan}");
    }

    [Fact]
    public void Index_is_built_fast() =>
        Assert.True(books.BuildTime < TimeSpan.FromSeconds(60), $"{5 * Rows} rows were entered in {books.BuildTime}.");

    /// <summary>The plan was made when the index had few rows, as that of a node that has just begun to build it.</summary>
    [Fact]
    public async Task Rows_of_deleted_resources_are_found_by_their_keys_while_an_index_is_built()
    {
        var (plan, scanned) = await books.ExplainRemovalAsync(deleted: 20);
        Assert.True(scanned is >= 100 and <= 400, $"{scanned} rows for 20 resources in 5 indexes:\n{plan}");
    }

    /// <summary>A database with a full read model, whose index was built as a node builds it.</summary>
    public sealed class ManyBooks(TestPostgres postgres) : IAsyncLifetime
    {
        static readonly IndexedMembers Indexed = new(
            "book",
            DateTimeOffset.UnixEpoch,
            [
                new("/metadata/price", false),
                new("/metadata/title", false),
                new("/metadata/label", false, Collations.Unicode),
                new("/metadata/scattered", false),
                new("/metadata/same", false),
            ]
        );

        readonly LogDatabase database = new(postgres);
        NodeDatabase node = null!;

        DbRoles Pools => LogDatabase.RolesOf(node);

        public TimeSpan BuildTime { get; private set; }

        public async ValueTask InitializeAsync()
        {
            await database.InitializeAsync();
            node = await LogDatabase.OpenAsync(database.ConnectionString, applySchema: false);
            await ExecuteAsync(
                $$"""
                insert into resource_views_1
                select (lpad(to_hex(i), 12, '0') || '70008' || substr(md5(i::text), 1, 15))::uuid, 'book', 'name ' || i, case when i % 1000 = 0 then 'rare' else 'active' end,
                    jsonb_build_object('price', i, 'title', 'title ' || i, 'label', 'title ' || i, 'scattered', i::bigint * 7919 % 2000, 'same', 1, 'text', repeat('text ', 20)),
                    'owner-' || i % 500, 1, '2026-01-01'::timestamptz + i * interval '1 second', 'somebody', '2026-01-01'::timestamptz, 'somebody', null, ''
                from generate_series(1, {{Rows}}) i
                """
            );
            await ExecuteAsync("insert into mt_event_progression (name, last_seq_id) values ('resource_views:All', 1)");
            await ExecuteAsync("vacuum analyze resource_views_1");
            using var store = DocumentStore.For(options =>
            {
                MartenSetup.Configure(options, new());
                Pools.Follow.Serve(options);
            });
            var model = ResourceViewProjection.Model with
            {
                NextWork = projection => ResourceViewProjection.NextWork(projection, [Indexed]),
            };
            var run = await ProjectionRun.StartAsync(Pools.Follow, store, new(), model, 1, default);
            var watch = Stopwatch.StartNew();
            while (await run.WorkAsync(default)) { }
            BuildTime = watch.Elapsed;
            TestContext.Current.SendDiagnosticMessage($"{5 * Rows} rows were entered in {BuildTime}.");
            await ExecuteAsync("vacuum analyze resource_index_1");
        }

        public async ValueTask DisposeAsync()
        {
            await node.DisposeAsync();
            await database.DisposeAsync();
        }

        /// <summary>The plan of a page, and how many rows its scans read.</summary>
        internal async Task<(string Plan, double Scanned)> ExplainAsync(
            Reach visible,
            string? status,
            string sort,
            string filter,
            int deep
        )
        {
            var faults = new List<FilterFault>();
            var selection = new ResourceSelection(
                visible,
                "book",
                status,
                Filter: filter is "" ? null : FilterParser.Parse(filter, faults),
                Indexed: Indexed
            );
            Assert.Empty(faults);
            Assert.True(ResourceSort.Parse(sort, out var order, out _));
            Db db = ResourceQueries.IsSearch(selection, order) ? Pools.Searches : Pools.Reads;
            if (MemberLookup.IsNeeded(selection, order))
            {
                await using var connection = await db.OpenAsync(default);
                await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead);
                selection = selection with
                {
                    Members = await MemberLookup.ReadAsync(transaction, selection, order, default),
                };
            }
            object[]? place =
                deep is 0 ? null
                : sort.EndsWith("title", StringComparison.Ordinal) ? [$"ttitle {deep}", Guid.Empty]
                : sort.EndsWith("label", StringComparison.Ordinal) ? [$"ctitle {deep}", Guid.Empty]
                : [$"n{deep}", Guid.Empty];
            var found = await QueryPlan.ExplainAsync(db, parameters =>
                ResourceSql.Page(parameters, selection, order, place, Limit, counting: false, wanted: 0)
            );
            TestContext.Current.SendDiagnosticMessage(
                $"{sort} {filter} {status}: {found.Scanned} rows, {found.Plan.Split('\n')[0]}"
            );
            return found;
        }

        /// <summary>The plan that a session made when its index had few rows, run when it is full.</summary>
        internal async Task<(string Plan, double Scanned)> ExplainRemovalAsync(int deleted)
        {
            await using var connection = await database.Source.OpenConnectionAsync();
            await using var command = connection.CreateCommand();
            command.CommandTimeout = 120;
            command.CommandText =
                $"select string_agg(id::text, ',') from (select id from resource_views_1 limit {deleted}) chosen";
            var ids = $"'{{{await command.ExecuteScalarAsync()}}}'";
            command.CommandText = $"""
                select create_resource_views(77), index_resource_views(77);
                alter table resource_index_77 set (autovacuum_enabled = false);
                insert into resource_index_members_77 overriding system value select * from resource_index_members_1;
                insert into resource_views_77 select * from resource_views_1;
                insert into resource_index_77 select * from resource_index_1 where resource in (select id from resource_views_1 order by id limit 16);
                analyze resource_views_77, resource_index_members_77, resource_index_77;
                set plan_cache_mode = force_generic_plan;
                prepare leave(uuid[]) as {new IndexRows(77).Leave("$1")};
                execute leave({ids});
                insert into resource_index_77 select * from resource_index_1 on conflict do nothing;
                update resource_views_77 set deleted_at = now() where id = any ({ids}::uuid[]);
                """;
            await command.ExecuteNonQueryAsync();
            command.CommandText = $"explain (analyze, format json) execute leave({ids})";
            return await QueryPlan.ReadAsync(command);
        }

        async Task ExecuteAsync(string sql)
        {
            await using var command = database.Source.CreateCommand(sql);
            command.CommandTimeout = 120;
            await command.ExecuteNonQueryAsync();
        }
    }
}
