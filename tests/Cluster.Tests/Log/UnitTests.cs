using System.Security.Cryptography;
using System.Text;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>Units of appends on a real PostgreSQL: all of a unit is in the log, at adjacent positions, or nothing of it.</summary>
public sealed class UnitTests(LogDatabase database) : IClassFixture<LogDatabase>
{
    const int Field = 2;

    static readonly DateTimeOffset Later = DateTimeOffset.MaxValue.AddYears(-1);

    readonly Guid scope = Guid.CreateVersion7();
    readonly string type = $"t{Guid.CreateVersion7():n}";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whole_unit_is_at_adjacent_positions_in_the_order_of_its_members()
    {
        await using var node = await database.StartLogAsync();
        var (target, source) = (await CreateAsync(node), Guid.CreateVersion7());
        await CreateAsync(node, source, Refers(target));

        var appended = Assert.IsType<Appended>(
            await node.Log.AppendUnitAsync([Deletes(source, 1, target), Deletes(target, 1)], Later)
        );

        var last = Assert.Single(appended.Positions);
        Assert.Equal((2, last - 1), await node.Log.HeadAsync(source));
        Assert.Equal((2, last), await node.Log.HeadAsync(target));
        Assert.Empty(await ReferrersAsync(target));
    }

    [Fact]
    public async Task Member_that_has_moved_on_withholds_the_others()
    {
        await using var node = await database.StartLogAsync();
        var (target, source) = (await CreateAsync(node), Guid.CreateVersion7());
        await CreateAsync(node, source, Refers(target));
        await node.AppendAsync(source, 1, "moved on");

        Assert.Equal(
            new Withheld(source, new Conflict()),
            await node.Log.AppendUnitAsync([Deletes(source, 1, target), Deletes(target, 1)], Later)
        );

        Assert.Equal(1, (await node.Log.HeadAsync(target)).Version);
        Assert.Equal([source], await ReferrersAsync(target));
    }

    [Fact]
    public async Task Referrer_that_came_meanwhile_withholds_the_whole()
    {
        await using var node = await database.StartLogAsync();
        var (target, source, newcomer) = (await CreateAsync(node), Guid.CreateVersion7(), Guid.CreateVersion7());
        await CreateAsync(node, source, Refers(target));
        await CreateAsync(node, newcomer, Refers(target));

        Assert.Equal(
            new Withheld(target, new StillReferenced()),
            await node.Log.AppendUnitAsync([Deletes(source, 1, target), Deletes(target, 1)], Later)
        );

        Assert.Equal(1, (await node.Log.HeadAsync(source)).Version);
        Assert.Equal(2, (await ReferrersAsync(target)).Length);
    }

    [Fact]
    public async Task Another_field_of_a_member_still_holds_the_target()
    {
        await using var node = await database.StartLogAsync();
        var (target, source) = (await CreateAsync(node), Guid.CreateVersion7());
        await CreateAsync(node, source, Refers(target), Refers(target) with { Field = 3 });
        var unset = new UnitMember(source, 1, [new ResourceRenamed("unset")], Intend(), Ends(target));
        var twice = unset with
        {
            Guards = new(null, [], [.. unset.Guards!.References, .. unset.Guards.References], false),
        };

        Assert.Equal(
            new Withheld(target, new StillReferenced()),
            await node.Log.AppendUnitAsync([unset, Deletes(target, 1)], Later)
        );
        // To end one of them twice is not to end both.
        Assert.Equal(
            new Withheld(target, new StillReferenced()),
            await node.Log.AppendUnitAsync([twice, Deletes(target, 1)], Later)
        );
    }

    [Fact]
    public async Task Resources_that_refer_to_each_other_go_together()
    {
        await using var node = await database.StartLogAsync();
        var (one, other) = (await CreateAsync(node), Guid.CreateVersion7());
        await CreateAsync(node, other, Refers(one));
        await AppendAsync(node, one, 1, new(null, [], [Refers(other)], false), new ResourceRenamed("both ways"));

        Assert.IsType<StillReferenced>(
            await AppendAsync(node, one, 2, Ends(other) with { Unreferenced = true }, new ResourceDeleted())
        );
        Assert.IsType<Appended>(
            await node.Log.AppendUnitAsync([Deletes(other, 1, one), Deletes(one, 2, other)], Later)
        );
    }

    [Fact]
    public async Task Unit_that_comes_too_late_is_a_conflict()
    {
        await using var node = await database.StartLogAsync();
        var (target, source) = (await CreateAsync(node), await CreateAsync(node));

        var late = await node.Log.AppendUnitAsync(
            [Deletes(source, 1), Deletes(target, 1)],
            DateTimeOffset.UtcNow.AddSeconds(-1)
        );

        Assert.Equal(new Withheld(source, new Conflict()), late);
        Assert.Equal(1, (await node.Log.HeadAsync(source)).Version);
    }

    [Fact]
    public async Task Members_do_not_take_one_value_nor_refer_to_what_goes_with_them()
    {
        await using var node = await database.StartLogAsync();
        var (one, other, target) = (await CreateAsync(node), await CreateAsync(node), await CreateAsync(node));
        UnitMember Claiming(Guid stream, bool takes) =>
            new(stream, 1, [new ResourceRenamed("claims")], Intend(), new(null, [Value(takes)], [], false));
        var referring = new UnitMember(
            one,
            1,
            [new ResourceRenamed("refers")],
            Intend(),
            new(null, [], [Refers(target)], false)
        );

        var both = await node.Log.AppendUnitAsync([Claiming(one, true), Claiming(other, true)], Later);
        var dangling = await node.Log.AppendUnitAsync([referring, Deletes(target, 1)], Later);

        Assert.IsType<Taken>(Assert.IsType<Withheld>(both).Reason);
        Assert.Equal(other, ((Withheld)both).Stream);
        Assert.IsType<TargetMissing>(Assert.IsType<Withheld>(dangling).Reason);
        Assert.Equal(one, ((Withheld)dangling).Stream);
        Assert.IsType<Appended>(await node.Log.AppendUnitAsync([Claiming(one, true), Claiming(other, false)], Later));
    }

    [Fact]
    public async Task Unit_that_is_sent_again_is_recognised_as_a_whole()
    {
        await using var node = await database.StartLogAsync();
        var (target, source) = (await CreateAsync(node), Guid.CreateVersion7());
        await CreateAsync(node, source, Refers(target));
        Guid[] events = [Guid.CreateVersion7(), Guid.CreateVersion7()];

        var first = await SendAsync(source, target, events, "1 hour");
        var again = await SendAsync(source, target, events, "-1 hour");

        Assert.Equal([(0, first[0].Position), (0, first[0].Position + 1)], first);
        Assert.Equal(first, again);
        Assert.Equal(2, (await node.Log.HeadAsync(source)).Version);
    }

    /// <summary>Sends the deletion of two resources, of which one refers to the other, as a node does.</summary>
    async Task<(int Outcome, long? Position)[]> SendAsync(Guid source, Guid target, Guid[] events, string ends)
    {
        await using var command = database.Source.CreateCommand(
            """
            select outcome, positions[1] from append_events(
                array[$1, $2], array[1, 1]::bigint[], array[1, 1], array['command', 'command'], array['tester', 'tester'], array[null, null],
                array[null, null]::jsonb[], array[1, 2], $3, array['resource.deleted', 'resource.deleted'],
                array_fill('Resources.Grains.ResourceDeleted, Resources.Grains'::text, array[2]), array['{}', '{}']::jsonb[],
                array[0, 0], '{}', '{}', '{}', '{}', '{}', '{}', '{}', array[1], array[2], array[$2], array[null], array[false], array[1, 2],
                array[1, 1], array[now() + $4::interval]) order by ordinal
            """
        );
        foreach (var argument in new object[] { source, target, events, ends })
            command.Parameters.Add(new() { Value = argument });
        var outcomes = new List<(int, long?)>();
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        while (await row.ReadAsync(Cancelled))
            outcomes.Add((row.GetInt16(0), row.IsDBNull(1) ? null : row.GetInt64(1)));
        return [.. outcomes];
    }

    [Fact]
    public async Task Appends_beside_a_unit_are_answered_on_their_own()
    {
        await using var node = await database.StartLogAsync();
        var (target, source) = (await CreateAsync(node), Guid.CreateVersion7());
        await CreateAsync(node, source, Refers(target));
        var (free, stale) = (await CreateAsync(node), await CreateAsync(node));

        Task<AppendOutcome>[] appends;
        await using (await database.HoldLockAsync())
        {
            // The first takes the way to the lock; the others gather behind it.
            _ = node.AppendAsync(Guid.CreateVersion7(), 0, "first");
            appends =
            [
                AppendAsync(node, free, 1, null, new ResourceRenamed("beside")),
                node.Log.AppendUnitAsync([Deletes(source, 1, target), Deletes(target, 1)], Later),
                AppendAsync(node, stale, 7, null, new ResourceRenamed("stale")),
                AppendAsync(node, Guid.CreateVersion7(), 0, new(null, [], [Refers(target)], false), Created()),
                node.Log.AppendUnitAsync([Deletes(free, 2), Deletes(stale, 1)], Later),
            ];
        }

        Assert.Equal(
            [typeof(Appended), typeof(Appended), typeof(Conflict), typeof(TargetMissing), typeof(Appended)],
            (await Task.WhenAll(appends)).Select(outcome => outcome.GetType())
        );
    }

    [Fact]
    public async Task Of_a_new_referrer_and_a_unit_at_one_moment_one_wins()
    {
        await using var one = await database.StartLogAsync();
        await using var other = await database.StartLogAsync();
        var wins = new int[2];
        for (var n = 0; n < 60; n++)
        {
            var (target, source, newcomer) = (await CreateAsync(one), Guid.CreateVersion7(), Guid.CreateVersion7());
            await CreateAsync(one, source, Refers(target));

            var deletion = one.Log.AppendUnitAsync([Deletes(source, 1, target), Deletes(target, 1)], Later);
            var creation = AppendAsync(
                n % 3 is 0 ? one : other,
                newcomer,
                0,
                new(null, [], [Refers(target)], false),
                Created()
            );

            var outcomes = (await deletion, await creation);
            if (outcomes is (Appended, TargetMissing))
                wins[0]++;
            else if (outcomes is (Withheld { Reason: StillReferenced }, Appended))
                wins[1]++;
            else
                Assert.Fail($"{outcomes}");
            Assert.Equal(outcomes is (Appended, _) ? 0 : 2, (await ReferrersAsync(target)).Length);
        }
        TestContext.Current.SendDiagnosticMessage($"The unit won {wins[0]} times, the newcomer {wins[1]} times");
    }

    [Fact]
    public async Task Of_units_that_overlap_and_cross_one_wins()
    {
        await using var one = await database.StartLogAsync();
        await using var other = await database.StartLogAsync();
        for (var n = 0; n < 40; n++)
        {
            // Each refers to the other, and both have a common referrer.
            var (left, right, common) = (await CreateAsync(one), Guid.CreateVersion7(), Guid.CreateVersion7());
            await CreateAsync(one, right, Refers(left));
            await AppendAsync(one, left, 1, new(null, [], [Refers(right)], false), new ResourceRenamed("crosses"));
            await CreateAsync(one, common, Refers(left), Refers(right));
            UnitMember[] members = [Deletes(common, 1, left, right), Deletes(left, 2, right), Deletes(right, 1, left)];

            Task<AppendOutcome>[] units =
            [
                one.Log.AppendUnitAsync([members[0], members[1], members[2]], Later),
                (n % 3 is 0 ? one : other).Log.AppendUnitAsync([members[2], members[0], members[1]], Later),
            ];

            var outcomes = await Task.WhenAll(units);
            Assert.Single(outcomes, outcome => outcome is Appended);
            Assert.Single(outcomes, outcome => outcome is Withheld { Reason: Conflict });
            Assert.Equal(2, (await one.Log.HeadAsync(common)).Version);
        }
    }

    [Fact]
    public async Task Unit_of_a_thousand_holds_the_lock_of_the_log_shortly()
    {
        await using var node = await database.StartLogAsync();
        var (root, middle) = (
            await CreateAsync(node),
            Enumerable.Range(0, 99).Select(_ => Guid.CreateVersion7()).ToArray()
        );
        var leaves = Enumerable.Range(0, 900).Select(_ => Guid.CreateVersion7()).ToArray();
        await Task.WhenAll(middle.Select(stream => CreateAsync(node, stream, Refers(root))));
        await Task.WhenAll(leaves.Select((stream, n) => CreateAsync(node, stream, Refers(middle[n % 99]))));
        UnitMember[] members =
        [
            .. leaves.Select((stream, n) => Deletes(stream, 1, middle[n % 99])),
            .. middle.Select(stream => Deletes(stream, 1, root)),
            Deletes(root, 1),
        ];

        var started = TimeProvider.System.GetTimestamp();
        var appended = Assert.IsType<Appended>(await node.Log.AppendUnitAsync(members, Later));
        var took = TimeProvider.System.GetElapsedTime(started);

        TestContext.Current.SendDiagnosticMessage($"A unit of 1,000 deletions took {took.TotalMilliseconds:F0} ms");
        var positions = (long[])
            (
                await database.ExecuteAsync(
                    "select array_agg(seq_id order by seq_id) from mt_events where version = 2 and stream_id = any ($1)",
                    members.Select(one => one.Stream).ToArray()
                )
            )!;
        Assert.Equal(Enumerable.Range(0, 1_000).Select(n => appended.Positions[0] - 999 + n), positions);
        Assert.True(took < TimeSpan.FromSeconds(2), $"It took {took}.");
    }

    async Task<Guid> CreateAsync(StandaloneLog node)
    {
        var stream = Guid.CreateVersion7();
        await CreateAsync(node, stream);
        return stream;
    }

    async Task CreateAsync(StandaloneLog node, Guid stream, params Reference[] references) =>
        Assert.IsType<Appended>(await AppendAsync(node, stream, 0, new(null, [], references, false), Created()));

    ResourceCreated Created() => new(type, "name", "active", JsonText.Empty, "owner");

    static Intent Intend() => new(Guid.CreateVersion7(), "unit", null, null, Conditions.None);

    static Task<AppendOutcome> AppendAsync(
        StandaloneLog node,
        Guid stream,
        long expected,
        Guards? guards,
        object happened
    ) => node.Log.AppendAsync(stream, expected, [happened], Intend(), guards);

    UnitMember Deletes(Guid stream, long version, params Guid[] targets) =>
        new(stream, version, [new ResourceDeleted()], Intend(), Ends(targets) with { Unreferenced = true });

    Guards Ends(params Guid[] targets) =>
        new(null, [], [.. targets.Select(target => Refers(target) with { Takes = false })], false);

    Claim Value(bool takes) =>
        new(scope, 1, SHA256.HashData(Encoding.UTF8.GetBytes("value")), takes, ["/metadata/value"]);

    Reference Refers(Guid target) => new(Field, target, type, true, "/metadata/other");

    async Task<Guid[]> ReferrersAsync(Guid target) =>
        (Guid[])
            (
                await database.ExecuteAsync(
                    "select array(select distinct source from resource_references where target = $1)",
                    target
                )
            )!;
}
