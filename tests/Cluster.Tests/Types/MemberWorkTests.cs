using System.Collections;
using Marten;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>What is compared to know whether indexes are as types declare them: there may be thousands, each second.</summary>
public sealed class MemberWorkTests(LogDatabase database) : IClassFixture<LogDatabase>
{
    [Fact]
    public async Task Declared_members_are_looked_through_once_and_only_after_a_change()
    {
        await using var node = await LogDatabase.OpenAsync(database.ConnectionString, applySchema: false);
        var follow = LogDatabase.RolesOf(node).Follow;
        await database.ExecuteAsync(
            "insert into mt_event_progression (name, last_seq_id) values ('resource_views:All', 1)"
        );
        using var store = DocumentStore.For(options =>
        {
            MartenSetup.Configure(options, new());
            follow.Serve(options);
        });
        var declared = new Declared(20);
        var model = ResourceViewProjection.Model with
        {
            NextWork = projection => ResourceViewProjection.NextWork(projection, declared),
        };
        var run = await ProjectionRun.StartAsync(follow, store, new(), model, 1, TestContext.Current.CancellationToken);
        await EndAsync();
        Assert.Equal(60L, await ReadyAsync());
        Assert.Equal(0, declared.Times);

        declared = new(20);
        Assert.False(await run.WorkAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, declared.Times);

        declared = new(21);
        await EndAsync();
        Assert.Equal(63L, await ReadyAsync());
        declared = new(1);
        await EndAsync();
        Assert.Equal(3L, await ReadyAsync());

        // The last look is without a reason.
        async Task EndAsync()
        {
            while (await run.WorkAsync(TestContext.Current.CancellationToken)) { }
            declared.Times = 0;
            Assert.False(await run.WorkAsync(TestContext.Current.CancellationToken));
        }
    }

    Task<object?> ReadyAsync() =>
        database.ExecuteAsync("select count(*) filter (where state = 'ready') from resource_index_members_1");

    /// <summary>Types with three indexed members each.</summary>
    sealed class Declared(int types) : IReadOnlyCollection<IndexedMembers>
    {
        static readonly IndexedMember[] Members =
        [
            new("/metadata/price", false),
            new("/metadata/title", false),
            new("/metadata/at", true),
        ];

        public int Count => types;

        /// <summary>How often they were looked through.</summary>
        public int Times { get; set; }

        public IEnumerator<IndexedMembers> GetEnumerator()
        {
            Times++;
            return Enumerable
                .Range(0, types)
                .Select(n => new IndexedMembers($"type-{n}", DateTimeOffset.UnixEpoch, Members))
                .GetEnumerator();
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
