using Marten;
using Microsoft.Extensions.Logging.Abstractions;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// Visibility by type and owner in lists, counts, statistics and the log, compared with a plain evaluation. The log
/// also contains every kind of event that belongs to no resource.
/// </summary>
[Trait("Conformance", "C2")]
public sealed class VisibilityQueryTests(VisibilityQueryTests.MixedLog log)
    : IClassFixture<VisibilityQueryTests.MixedLog>
{
    const string Me = "me";

    static readonly string[] Many = [.. Enumerable.Range(0, 12).Select(i => $"type-{i}"), "a", "c"];

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string> Permissions() =>
        [
            "*",
            "resource:read",
            "resource:read:own",
            "audit:read",
            .. from whole in new[] { "", "a", "b", "a b", "none" }
            from own in new[] { "", "own", "b", "a c", "none" }
            where whole != "" || own is not ("" or "own")
            select $"{whole}|{own}",
            string.Join(' ', Many) + "|",
            string.Join(' ', Many) + "|own",
            string.Join(' ', Many) + "|b",
        ];

    static Reach ReachOf(string permissions) =>
        PermissionSet
            .Of(
                permissions.Split('|') is [var whole, var own]
                    ? [.. Texts(whole, ""), .. own is "own" ? ["resource:read:own"] : Texts(own, ":own")]
                    : [permissions]
            )
            .ScopeOf("resource:read")
            .Of(Me);

    static IEnumerable<string> Texts(string types, string own) =>
        types.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(type => $"resource/{type}:read{own}");

    [Theory, MemberData(nameof(Permissions))]
    public async Task Lists_and_counts_contain_exactly_what_is_visible(string permissions)
    {
        var visible = ReachOf(permissions);
        foreach (var filter in new[] { null, "name = \"even\"", "even" })
        foreach (
            var (type, status, owner, deleted) in new (string?, string?, string?, bool)[]
            {
                (null, null, null, false),
                ("a", null, null, false),
                ("b", null, null, false),
                (null, "draft", null, false),
                (null, null, Me, false),
                ("c", null, "other", false),
                (null, null, null, true),
                ("b", null, null, true),
                (null, null, Me, true),
            }
        )
        {
            var faults = new List<FilterFault>();
            var selection = new ResourceSelection(
                visible,
                type,
                status,
                owner,
                filter is null ? null : FilterParser.Parse(filter, faults),
                deleted
            );
            var expected = log.Live(deleted)
                .Where(row =>
                    visible.Allows(row.Type, row.Owner)
                    && (type is null || row.Type == type)
                    && (status is null || row.Status == status)
                    && (owner is null || row.Owner == owner)
                    && (filter is null || row.Name is "even")
                )
                .Select(row => row.Id)
                .ToHashSet();
            foreach (var order in new[] { "-createdAt", "name", "-type,createdAt" })
            {
                Assert.True(ResourceSort.Parse(order, out var sort, out _));
                var ids = new List<Guid>();
                var after = (object[]?)null;
                while (
                    await log.Resources.PageAsync(selection, sort, after, 7, 1 << 20, CountKind.Exact, null, Cancelled)
                        is { Rows: [.., var last] } page
                )
                {
                    Assert.Equal(expected.Count, page.Count);
                    ids.AddRange(page.Rows.Select(row => row.Id));
                    after = sort.PlaceOf(last);
                }
                Assert.Equal(expected.Count, ids.Count);
                Assert.Equal(expected, ids.ToHashSet());
            }
            Assert.Equal(
                expected.Count,
                (
                    await log.Resources.PageAsync(
                        selection,
                        ResourceSort.Newest,
                        null,
                        1,
                        1 << 20,
                        CountKind.Estimated,
                        null,
                        Cancelled
                    )
                ).Count
            );
            var changes = await log.Resources.ChangesAsync(selection, 0, 10_000, 32 << 20, Cancelled);
            Assert.Equal(
                expected,
                changes!.Rows.Where(row => row.Value is not null).Select(row => row.Key).ToHashSet()
            );
            Assert.Equal(log.Live(true).Select(row => row.Id).ToHashSet(), changes.Rows.Keys.ToHashSet());
        }
    }

    [Theory, MemberData(nameof(Permissions))]
    public async Task Statistics_count_exactly_what_is_visible(string permissions)
    {
        var visible = ReachOf(permissions);
        foreach (
            var (type, status) in new (string?, string?)[]
            {
                (null, null),
                ("a", null),
                ("b", "draft"),
                (null, "active"),
            }
        )
        {
            var expected = log.Live(false)
                .Where(row =>
                    visible.Allows(row.Type, row.Owner)
                    && (type is null || row.Type == type)
                    && (status is null || row.Status == status)
                )
                .ToArray();
            var figures = await log.Statistics.ReadAsync(visible, type, status, null, null, Cancelled);
            Assert.Equal(expected.Length, figures.Total);
            Assert.Equal(
                expected.CountBy(row => row.Type).ToDictionary(),
                figures.ByType.ToDictionary(each => each.Value, each => (int)each.Count)
            );
            Assert.Equal(
                expected.CountBy(row => row.Status).ToDictionary(),
                figures.ByStatus.ToDictionary(each => each.Value, each => (int)each.Count)
            );
            Assert.Equal(expected.Length, figures.ByDay.Sum(day => day.Count));
        }
    }

    [Theory, MemberData(nameof(Permissions))]
    public async Task Log_contains_exactly_the_visible_resource_events(string permissions)
    {
        var visible = ReachOf(permissions);
        var all = await ReadAsync(EventFilter.All);
        Assert.Equal(log.Live(true).Count() + log.Live(true).Count(row => row.Deleted), all.Count);
        Assert.All(all, logged => Assert.StartsWith("resource.", logged.Type, StringComparison.Ordinal));
        foreach (
            var filter in new EventFilter[]
            {
                new(visible),
                new(visible, "b"),
                new(visible, Owner: Me),
                new(visible, EventTypes: ["resource.deleted"]),
                new(visible, Resource: all[0].Resource),
                new(visible, Resource: all[1].Resource),
                new(visible, Resource: all[^1].Resource),
            }
        )
            Assert.Equal(
                all.Where(filter.Takes).Select(logged => logged.Position),
                (await ReadAsync(filter)).Select(logged => logged.Position)
            );
        foreach (var stranger in log.Strangers)
        {
            Assert.Null(await log.Log.FindAsync(stranger, Cancelled));
            Assert.Empty(await ReadAsync(new(visible, Resource: stranger)));
        }
    }

    /// <summary>The whole log in small pages. The last one reaches the head, whatever kind of event that is.</summary>
    async Task<List<LogEvent>> ReadAsync(EventFilter filter)
    {
        var events = new List<LogEvent>();
        var reached = 0L;
        while (await log.Log.PageAsync(reached, filter, 10, 1 << 20, Cancelled) is var page && page.Reached > reached)
        {
            events.AddRange(page.Events);
            reached = page.Reached;
        }
        Assert.Equal(log.Head, reached);
        return events;
    }

    /// <summary>
    /// A log of resources of several types and owners, mixed with all other kinds of events, and its read model.
    /// </summary>
    public sealed class MixedLog(TestPostgres postgres) : IAsyncLifetime
    {
        readonly LogDatabase database = new(postgres);
        readonly List<(Guid Id, string Type, string Name, string Status, string Owner, bool Deleted)> rows = [];
        NodeDatabase node = null!;

        public ResourceQueries Resources { get; private set; } = null!;

        public StatisticsQueries Statistics { get; private set; } = null!;

        public LogQueries Log { get; private set; } = null!;

        public long Head { get; private set; }

        /// <summary>Streams of other things than resources.</summary>
        public List<Guid> Strangers { get; } = [];

        public IEnumerable<(Guid Id, string Type, string Name, string Status, string Owner, bool Deleted)> Live(
            bool withDeleted
        ) => rows.Where(row => withDeleted || !row.Deleted);

        public async ValueTask InitializeAsync()
        {
            await database.InitializeAsync();
            node = await LogDatabase.OpenAsync(database.ConnectionString, applySchema: false);
            var pools = LogDatabase.RolesOf(node);
            await FillAsync();
            Head = (long)(await database.ExecuteAsync("select max(seq_id) from mt_events"))!;
            using (
                var store = DocumentStore.For(options =>
                {
                    MartenSetup.Configure(options, new());
                    pools.Follow.Serve(options);
                })
            )
            {
                var run = await ProjectionRun.StartAsync(
                    pools.Follow,
                    store,
                    new(),
                    ResourceViewProjection.Model,
                    1,
                    default
                );
                while (run.Position < Head)
                    await run.AdvanceAsync(Head, 50, default);
            }
            Resources = new(pools.Reads, pools.Searches, pools.Bulk);
            Statistics = new(pools.Reads);
            Log = new(pools.Reads);
        }

        public async ValueTask DisposeAsync()
        {
            await node.DisposeAsync();
            await database.DisposeAsync();
        }

        async Task FillAsync()
        {
            await using var writer = await database.StartLogAsync();
            Task AppendAsync(Guid stream, params object[] events) =>
                writer.Log.AppendAsync(stream, 0, events, new(Guid.CreateVersion7(), Me, null, null, Conditions.None));
            foreach (
                var (i, (type, owner)) in (
                    from type in new[] { "a", "b", "c", "type-1" }
                    from owner in new[] { Me, "other", "own" }
                    select (type, owner)
                )
                    .SelectMany(each => Enumerable.Repeat(each, 5))
                    .Index()
            )
            {
                var id = Guid.CreateVersion7();
                var name = i % 2 is 0 ? "even" : "odd";
                var status = i % 3 is 0 ? "draft" : "active";
                var deleted = i % 5 is 4;
                rows.Add((id, type, name, status, owner, deleted));
                await AppendAsync(
                    id,
                    [
                        new ResourceCreated(type, name, status, JsonText.Empty, owner),
                        .. deleted ? [new ResourceDeleted()] : Array.Empty<object>(),
                    ]
                );
                if (i % 6 is 0)
                    await AppendAsync(
                        Stranger(),
                        new SessionStarted(id, 1, "token", ["pwd"], DateTimeOffset.UnixEpoch, null),
                        new SessionRefreshed(),
                        new SessionEnded("logout")
                    );
                if (i % 6 is 1)
                    await AppendAsync(
                        Stranger(),
                        new AccountRegistered(id, null, ["user"], true),
                        new AccountRolesChanged(["admin"]),
                        new AccountDeleted()
                    );
                if (i % 6 is 2)
                    await AppendAsync(Stranger(), new ApiKeyCreated(id, "key", "00", ["*"], null), new ApiKeyRevoked());
                if (i % 6 is 3)
                    await AppendAsync(Stranger(), new RoleCreated($"role-{i}", ["*"]), new RoleDeleted($"role-{i}"));
            }
            await AppendAsync(
                Stranger(),
                new SessionStarted(Guid.CreateVersion7(), 1, "token", ["pwd"], DateTimeOffset.UnixEpoch, null)
            );
        }

        Guid Stranger()
        {
            Strangers.Add(Guid.CreateVersion7());
            return Strangers[^1];
        }
    }
}
