using System.Text;
using Npgsql;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>
/// A migration step by step, on two nodes over one database. They are clusters of their own, so each type and each resource
/// has two grains: commands that need the newest state go to the one that has it.
/// </summary>
public sealed class MigrationNodesTests(TwoClusters clusters) : TypeNodes(clusters)
{
    string Old =>
        $$$$"""
            {"name":"{{{{type}}}}","schema":{"type":"object","additionalProperties":false,"required":["price"],
             "properties":{"price":{"type":"number"},"isbn":{"type":"string"}}},
             "unique":{"isbn":{"members":["/metadata/isbn"]}}}
            """;

    string New =>
        $$$$"""
            {"name":"{{{{type}}}}","schema":{"type":"object","additionalProperties":false,"required":["unitPrice"],
             "properties":{"unitPrice":{"type":"number"},"code":{"type":"string"}}},
             "unique":{"isbn":{"members":["/metadata/code"]}},
             "migration":[{"op":"move","from":"/metadata/price","path":"/metadata/unitPrice"},
              {"op":"move","from":"/metadata/isbn","path":"/metadata/code"}]}
            """;

    /// <summary>Sends a command to a grain that has read the log: the other cluster may have ended the change before.</summary>
    async Task<Reply<TypeState>> SendAsync(TypeCommand command)
    {
        var grain = One.Grain<ITypeGrain>(Stream);
        await InProcessSilo.DeactivateAsync(grain);
        return await grain.Execute(command, Intend());
    }

    Task<Reply<Resource>> CreateAsync(InProcessSilo node, Guid id, string metadata) =>
        node.Resource(id).Execute(new CreateResource(type, "n", null, Text(metadata)), Intend());

    async Task<KeyedResources> FindAsync(string isbn) =>
        (
            await One.Service<TypeKeys>()
                .FindAsync(Administrator, type, "isbn", isbn, TestContext.Current.CancellationToken)
        )!;

    /// <summary>Why a patch that changes nothing is refused, if it is for what has a value.</summary>
    async Task<Refusal?> PatchAsync(Guid id, KeyedResources found)
    {
        var intent = Intend() with { Conditions = Conditions.None with { Has = found.Value } };
        var patch = new PatchResource(PatchFormat.Merge, Encoding.UTF8.GetBytes("{}"));
        return (await One.Resource(id).Execute(patch, intent)).Rejection?.Kind;
    }

    [Fact]
    public async Task Both_forms_are_taken_on_every_node_until_it_closes()
    {
        var declared = await SendAsync(new DeclareType(type, Text(Old)));
        Assert.Null((await EndAsync(declared.Value!.Proposal!.Change)).Reason);
        var (first, second, third) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var made = await CreateAsync(One, first, """{"price":1,"isbn":"1"}""");
        Assert.Null(made.Rejection);

        await using var busy = await HoldAsync();
        var proposed = await SendAsync(new ReplaceType(Text(New)));
        var change = proposed.Value!.Proposal!.Change;
        Assert.Equal(Refusal.Invalid, (await CreateAsync(One, second, """{"unitPrice":2}""")).Rejection?.Kind);
        var begun = await SendAsync(new BeginTypeMigration(change));
        Assert.Equal(begun.Version, begun.Value!.Proposal!.Begun);

        var now = await CreateAsync(Other, second, """{"unitPrice":2,"code":"2"}""");
        Assert.Equal(begun.Version, now.Value?.TypeVersion);
        // Values are unique across both forms, and found in either.
        var taken = await CreateAsync(One, third, """{"price":3,"isbn":"2"}""");
        Assert.Equal(Refusal.NotUnique, taken.Rejection?.Kind);
        Assert.Equal(made.Value!.TypeVersion, (await CreateAsync(One, third, """{"price":3}""")).Value?.TypeVersion);
        var (ofFirst, ofSecond) = (await FindAsync("1"), await FindAsync("2"));
        Assert.Equal((first, second), (ofFirst.First, ofSecond.First));
        Assert.Null(await PatchAsync(first, ofFirst));
        Assert.Null(await PatchAsync(second, ofSecond));
        Assert.Equal(Refusal.NotFound, await PatchAsync(first, ofSecond));
        Assert.Equal(Refusal.NotFound, await PatchAsync(second, ofFirst));
        Assert.Equal(Refusal.TypeChangePending, (await SendAsync(new WithdrawTypeChange())).Rejection?.Kind);

        // What a reader has seen may be out of date.
        var patch = new PatchResource(PatchFormat.Merge, Encoding.UTF8.GetBytes("""{"metadata":{"price":9}}"""));
        Assert.Equal(2, (await Other.Resource(first).Execute(patch, Intend())).Version);
        for (var repeated = 0; repeated < 2; repeated++)
        {
            var migrated = await One.Resource(first)
                .Execute(new MigrateResource(change, made.Value!, made.Version), Intend());
            Assert.Equal(
                (3L, """{"code":"1","unitPrice":9}"""),
                (migrated.Version, migrated.Value!.Metadata.ToString())
            );
        }
        Assert.Null((await SendAsync(new CloseTypeMigration(null))).Rejection);
        Assert.Equal(
            Refusal.Invalid,
            (await CreateAsync(One, Guid.CreateVersion7(), """{"price":4}""")).Rejection?.Kind
        );

        await busy.CloseAsync();
        var outcome = await EndAsync(change);
        Assert.Null(outcome.Reason);
        Assert.Equal(1, outcome.Migrated);
        Assert.Equal("3 1 2", $"{await VersionAsync(first)} {await VersionAsync(second)} {await VersionAsync(third)}");
        Assert.Equal(
            """alice {"unitPrice": 3}""",
            await Database.ExecuteAsync(
                "select user_name || ' ' || (data ->> 'metadata') from mt_events where stream_id = $1 and type = 'resource.migrated'",
                third
            )
        );
        await Eventually.HoldsAsync(
            async () =>
                await Database.ExecuteAsync("select count(*) from unique_claims where scope = $1", Stream) is 2L,
            TimeSpan.FromMinutes(1),
            () => "each value is held once"
        );
    }

    [Fact]
    public async Task Pause_between_passes_holds_on_every_node_until_it_closes()
    {
        var declared = await SendAsync(new DeclareType(type, Text(Old)));
        Assert.Null((await EndAsync(declared.Value!.Proposal!.Change)).Reason);
        var left = Guid.CreateVersion7();
        Guid change;
        // Nobody works on it before the pause is noted.
        await using (await HoldAsync())
        {
            Assert.Null((await CreateAsync(One, left, """{"price":1}""")).Rejection);
            change = (await SendAsync(new ReplaceType(Text(New)))).Value!.Proposal!.Change;
            Assert.Null((await SendAsync(new BeginTypeMigration(change))).Rejection);
            await Database.ExecuteAsync(
                "insert into type_changes (type, change, not_before) values ($1, $2, clock_timestamp() + interval '1 hour')",
                Stream,
                change
            );
        }
        await Task.Delay(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken);
        Assert.Equal(1L, await VersionAsync(left));

        var reply = await SendAsync(new CloseTypeMigration(null));
        Assert.Null(reply.Rejection);
        Assert.Null((await EndAsync(change)).Reason);
        Assert.Equal(2L, await VersionAsync(left));
    }

    [Fact]
    public async Task Pause_is_noted_where_others_still_write_the_old_form()
    {
        var declared = await SendAsync(new DeclareType(type, Text(Old)));
        Assert.Null((await EndAsync(declared.Value!.Proposal!.Change)).Reason);
        await WriteAsync(500);
        var change = (await SendAsync(new ReplaceType(Text(New)))).Value!.Proposal!.Change;
        await Eventually.HoldsAsync(
            async () =>
            {
                await WriteAsync(8);
                return await CountAsync(
                    "select count(*) from type_changes where change = $1 and not_before > clock_timestamp()",
                    change
                )
                    is 1;
            },
            TimeSpan.FromSeconds(30),
            () => "a pass has left something, and notes when the next one begins"
        );
        Assert.Null((await EndAsync(change)).Reason);

        Task WriteAsync(int count) =>
            Task.WhenAll(
                Enumerable.Range(0, count).Select(_ => CreateAsync(One, Guid.CreateVersion7(), """{"price":1}"""))
            );
    }

    [Fact]
    public async Task Search_for_the_old_form_may_take_longer_than_other_queries()
    {
        var settings = new NpgsqlConnectionStringBuilder(Database.ConnectionString) { CommandTimeout = 1 };
        await using var source = NpgsqlDataSource.Create(settings);
        var queries = new ResourceQueries(
            One.Service<ReadsDb>(),
            One.Service<SearchesDb>(),
            new(source, One.Service<StoreContact>())
        );
        await using var connection = new NpgsqlConnection(Database.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var busy = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var work = new NpgsqlCommand("lock table resource_views in access exclusive mode", connection);
        await work.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var reading = queries.PageAsync(
            new(Reach.All, type, NotOf: 1),
            ResourceSort.Newest,
            null,
            10,
            1 << 20,
            CountKind.None,
            0,
            TestContext.Current.CancellationToken,
            areLarge: true
        );
        await Task.Delay(TimeSpan.FromSeconds(3), TestContext.Current.CancellationToken);
        Assert.False(reading.IsCompleted);
        await busy.RollbackAsync(TestContext.Current.CancellationToken);
        Assert.Empty((await reading).Rows);
    }

    Task<object?> VersionAsync(Guid id) => Database.ExecuteAsync("select version from mt_streams where id = $1", id);
}
