using System.Globalization;
using System.Text.Json;
using Marten;
using Npgsql;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// Indexes of declared members: whenever one is ready it has one row for each live resource of the type, with the value
/// that the resource has, whatever happened meanwhile.
/// </summary>
public sealed class MemberIndexTests(MemberIndexTests.Node node) : IClassFixture<MemberIndexTests.Node>
{
    const string Schema =
        """{"type":"object","properties":{"price":{},"at":{"type":"string","format":"date-time"},"in":{"type":"object","properties":{"deep":{}}}}}""";

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(60);

    readonly string type = $"t{Guid.NewGuid():n}";

    InProcessSilo One => node.Silo;

    static Intent Intend() => new(Guid.CreateVersion7(), "alice", null, null, Conditions.None);

    static JsonText Text(string json) => JsonText.From(JsonElement.Parse(json));

    Task<Reply<TypeState>> SendAsync(TypeCommand command) =>
        One.Grain<ITypeGrain>(TypeState.StreamOf(type)).Execute(command, Intend());

    JsonText Definition(params string[] indexed) =>
        Text(
            $$"""{"name":"{{type}}","schema":{{Schema}},"indexed":{{JsonSerializer.Serialize(indexed)}},"collation":"und-x-icu"}"""
        );

    async Task DeclareAsync(params string[] indexed)
    {
        var reply = await SendAsync(new DeclareType(type, Definition(indexed)));
        Assert.Null(reply.Rejection);
        await Eventually.HoldsAsync(
            async () => (await RulesAsync()).State?.Outcome?.Change == reply.Value!.Proposal!.Change,
            Plenty,
            () => "the change is decided"
        );
        Assert.Null((await RulesAsync()).State!.Outcome!.Reason);
    }

    Task<TypeRules> RulesAsync() => One.Service<TypeBook>().RefreshAsync(type);

    async Task<Guid> CreateAsync(string metadata)
    {
        var id = Guid.CreateVersion7();
        var reply = await One.Resource(id).Execute(new CreateResource(type, "n", null, Text(metadata)), Intend());
        Assert.Null(reply.Rejection);
        return id;
    }

    static string Random(Random random)
    {
        var price = random.Next(8) switch
        {
            0 => "\"text\"",
            1 => "null",
            2 => "[1]",
            3 => "true",
            _ => (random.Next(-1000, 1000) / 8m).ToString(CultureInfo.InvariantCulture),
        };
        var at = $"\"2026-01-{random.Next(10, 28)}T12:00:00+0{random.Next(9)}:00\"";
        return $$$"""{"price":{{{price}}},"at":{{{at}}}{{{(
            random.Next(2) is 0 ? "" : $",\"in\":{{\"deep\":\"{new string('x', random.Next(400))}\"}}"
        )}}}}""";
    }

    /// <summary>Waits until the index has the members of the definition in force, and no others.</summary>
    async Task ReadyAsync(int members)
    {
        var declared = (await RulesAsync()).State!.CreatedAt;
        await Eventually.HoldsAsync(
            async () =>
                $"{members} {members}"
                == (string?)
                    await node.Database.ExecuteAsync(
                        """
select count(*) || ' ' || count(*) filter (where declared = $2 and state = 'ready') from resource_index_members where type = $1
""",
                        type,
                        declared
                    ),
            Plenty,
            () => $"{members} indexes are ready"
        );
    }

    /// <summary>Compares the index with the rows of lists, by code of its own, once they have the whole log.</summary>
    async Task<int> EqualsViewsAsync()
    {
        await Eventually.HoldsAsync(
            async () =>
                (bool)
                    (
                        await node.Database.ExecuteAsync(
                            "select position >= (select max(seq_id) from mt_events) from resource_views_position"
                        )
                    )!,
            Plenty,
            () => "the read model has the whole log"
        );
        var expected = new HashSet<string>();
        await using (
            var resources = node.Database.Source.CreateCommand(
                """
select m.pointer, v.id, v.metadata::text from resource_views v join resource_index_members m on m.type = v.type where v.type = $1 and v.deleted_at is null
"""
            )
        )
        {
            resources.Parameters.Add(new() { Value = type });
            await using var row = await resources.ExecuteReaderAsync();
            while (await row.ReadAsync())
                expected.Add($"{row.GetString(0)} {row.GetGuid(1)} {ValueOf(row.GetString(0), row.GetString(2))}");
        }
        var found = new List<string>();
        await using (
            var rows = node.Database.Source.CreateCommand(
                """
select m.pointer, i.resource, trim_scale(i.number)::text, i.text from resource_index i join resource_index_members m using (member) where m.type = $1
"""
            )
        )
        {
            rows.Parameters.Add(new() { Value = type });
            await using var row = await rows.ExecuteReaderAsync();
            while (await row.ReadAsync())
                found.Add($"{row.GetString(0)} {row.GetGuid(1)} {row.TextOrNull(2)}|{row.TextOrNull(3)}");
        }
        Assert.Equal(expected.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        Assert.Equal(
            0L,
            await node.Database.ExecuteAsync(
                """
select count(*) from resource_index i join resource_index_members m using (member)
where m.type = $1 and i.collated collate "C" is distinct from case when m.text_order <> 'C' then i.text end
""",
                type
            )
        );
        return found.Count;
    }

    static string ValueOf(string pointer, string metadata)
    {
        var value = new MemberPath(pointer).In(JsonElement.Parse(metadata));
        return value?.ValueKind switch
        {
            JsonValueKind.Number => value.Value.GetDecimal().ToString("0.#####", CultureInfo.InvariantCulture) + "|",
            JsonValueKind.String when pointer is "/metadata/at" => "|"
                + value
                    .Value.GetDateTimeOffset()
                    .UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
            JsonValueKind.String => "|" + value.Value.GetString()![..Math.Min(256, value.Value.GetString()!.Length)],
            JsonValueKind.True => "|true",
            JsonValueKind.False => "|false",
            _ => "|",
        };
    }

    [Fact]
    public async Task Index_that_is_built_beside_writes_equals_the_rows_of_lists()
    {
        var before = await Task.WhenAll(Enumerable.Range(0, 2500).Select(n => CreateAsync(Random(new Random(n)))));
        using var enough = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 4).Select(n => WriteAsync(n, before, enough.Token)).ToArray();
        await DeclareAsync("/metadata/price", "/metadata/at");
        await ReadyAsync(2);
        // A second one comes to a type that is in use, and one goes.
        Assert.Null((await SendAsync(new ReplaceType(Definition("/metadata/in/deep", "/metadata/at")))).Rejection);
        await Eventually.HoldsAsync(
            async () =>
                await node.Database.ExecuteAsync(
                    "select count(*) from resource_index_members where type = $1 and pointer = '/metadata/in/deep'",
                    type
                )
                    is 1L,
            Plenty,
            () => "the change is noticed"
        );
        await ReadyAsync(2);
        await enough.CancelAsync();
        await Task.WhenAll(writers);
        Assert.True(await EqualsViewsAsync() > 2500);

        // A new generation has its own, at the moment when it answers.
        await One.Service<Followers>()
            .RebuildAsync(ResourceViewProjection.FollowerName, "alice", TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(
            async () => (int)(await node.Database.ExecuteAsync("select generation from resource_views_position"))! > 1,
            Plenty,
            () => "another generation answers"
        );
        Assert.Equal(
            2L,
            await node.Database.ExecuteAsync(
                "select count(*) from resource_index_members where type = $1 and state = 'ready'",
                type
            )
        );
        Assert.True(await EqualsViewsAsync() > 2500);
    }

    async Task WriteAsync(int seed, Guid[] known, CancellationToken enough)
    {
        var random = new Random(seed);
        while (!enough.IsCancellationRequested)
        {
            var id = known[random.Next(known.Length)];
            ResourceCommand command = random.Next(4) switch
            {
                0 => new DeleteResource(),
                1 => new RestoreResource(random.Next(2) is 0 ? null : Replacement(random)),
                _ => Replacement(random),
            };
            await One.Resource(id).Execute(command, Intend());
            if (random.Next(4) is 0)
                await CreateAsync(Random(random));
        }
    }

    ReplaceResource Replacement(Random random) => new(type, "m", null, Text(Random(random)));

    [Fact]
    public async Task Type_that_is_declared_anew_has_an_index_of_its_own()
    {
        await DeclareAsync("/metadata/price");
        var id = await CreateAsync("""{"price":1}""");
        await ReadyAsync(1);
        await One.Resource(id).Execute(new DeleteResource(), Intend());
        Assert.Equal(0, await EqualsViewsAsync());
        Assert.Null((await SendAsync(new DeleteType())).Rejection);
        await Eventually.HoldsAsync(
            async () => (await RulesAsync()).State!.Form is null,
            Plenty,
            () => "the type is deleted"
        );
        var free = await CreateAsync("""{"price":2}""");
        await One.Resource(free).Execute(new ReplaceResource(type, "n", null, Text("""{"price":3}""")), Intend());
        await DeclareAsync("/metadata/price");
        await ReadyAsync(1);
        Assert.Equal(1, await EqualsViewsAsync());
    }

    [Fact]
    public async Task Declared_members_are_listed_anew_only_after_a_change_of_a_type()
    {
        var members = new DeclaredMembers(One.Service<TypeBook>());
        var before = members.Now;
        Assert.DoesNotContain(before, one => one.Type == type);
        await Eventually.HoldsAsync(() => ReferenceEquals(members.Now, members.Now));
        await DeclareAsync("/metadata/price");
        Assert.Contains(members.Now, one => one.Type == type);
    }

    [Fact]
    public async Task Whoever_has_been_overtaken_does_no_work()
    {
        await CreateAsync("{}");
        var pools = LogDatabase.RolesOf(await LogDatabase.OpenAsync(node.Database.ConnectionString, false));
        using var store = DocumentStore.For(options =>
        {
            MartenSetup.Configure(options, new());
            pools.Follow.Serve(options);
        });
        var works = 0;
        var model = ResourceViewProjection.Model with
        {
            NextWork = _ =>
                (_, _) =>
                {
                    works++;
                    return Task.CompletedTask;
                },
        };
        await node.Database.ExecuteAsync("select create_resource_views(77)");
        var head = (long)(await node.Database.ExecuteAsync("select max(seq_id) from mt_events"))!;
        var (run, other) = (await StartAsync(), await StartAsync());
        Assert.False(await run.WorkAsync(TestContext.Current.CancellationToken));
        await run.AdvanceAsync(head, 500, TestContext.Current.CancellationToken);
        Assert.True(await run.WorkAsync(TestContext.Current.CancellationToken));
        other = await StartAsync();
        await CreateAsync("{}");
        await other.AdvanceAsync(head + 1, 500, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<InvalidOperationException>(() => run.WorkAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, works);

        Task<ProjectionRun> StartAsync() =>
            ProjectionRun.StartAsync(pools.Follow, store, new(), model, 77, TestContext.Current.CancellationToken);
    }

    /// <summary>A node with a database of its own.</summary>
    public sealed class Node(TestPostgres postgres) : IAsyncLifetime
    {
        public LogDatabase Database { get; } = new(postgres);

        internal InProcessSilo Silo { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            await Database.InitializeAsync();
            Silo = await InProcessSilo.StartAsync(Database, "member-index");
        }

        public async ValueTask DisposeAsync()
        {
            await Silo.DisposeAsync();
            await Database.DisposeAsync();
        }
    }
}
