using System.Security.Cryptography;
using System.Text;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>Guards of appends on a real PostgreSQL: what they refuse, what they leave behind, and in which order.</summary>
public sealed class GuardTests(LogDatabase database) : IClassFixture<LogDatabase>
{
    const int Rule = 1;
    const int Field = 2;

    readonly Guid scope = Guid.CreateVersion7();
    readonly string type = $"t{Guid.CreateVersion7():n}";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_value_has_one_holder_until_its_deletion_and_a_restore_takes_it_again_or_is_refused()
    {
        await using var node = await database.StartLogAsync();
        var (one, two) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        Assert.IsType<Appended>(await CreateAsync(node, one, Under(Takes("a"))));

        var taken = Assert.IsType<Taken>(await CreateAsync(node, two, Under(Takes("free"), Takes("a"))));
        Assert.Equal(Takes("a").Value, taken.Claim.Value);
        Assert.Equal(["/metadata/a"], taken.Claim.Pointers);
        Assert.Equal((0, 0), await node.Log.HeadAsync(two));
        Assert.Equal([("a", one)], await ClaimsAsync());

        Assert.IsType<Appended>(await AppendAsync(node, one, 1, Under(Gives("a")), new ResourceDeleted()));
        Assert.Empty(await ClaimsAsync());
        Assert.IsType<Appended>(await CreateAsync(node, two, Under(Takes("a"))));

        Assert.IsType<Taken>(await AppendAsync(node, one, 2, Under(Takes("a")), new ResourceRestored()));
        Assert.IsType<Appended>(
            await AppendAsync(node, two, 1, Under(Gives("a"), Takes("b")), new ResourceRenamed("b"))
        );
        Assert.IsType<Appended>(await AppendAsync(node, one, 2, Under(Takes("a")), new ResourceRestored()));
        Assert.Equal([("a", one), ("b", two)], await ClaimsAsync());
    }

    [Fact]
    public async Task A_holder_may_take_its_value_again_and_nobody_gives_back_what_another_one_has()
    {
        await using var node = await database.StartLogAsync();
        var (one, two) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await CreateAsync(node, one, Under(Takes("a")));
        await CreateAsync(node, two, Under(Takes("b")));

        Assert.IsType<Appended>(await AppendAsync(node, one, 1, Under(Takes("a")), new ResourceRenamed("again")));
        Assert.IsType<Appended>(await AppendAsync(node, two, 1, Under(Gives("a")), new ResourceRenamed("not mine")));

        Assert.Equal([("a", one), ("b", two)], await ClaimsAsync());
    }

    [Fact]
    public async Task A_reference_needs_a_target_that_is_there_alive_and_of_its_type()
    {
        await using var node = await database.StartLogAsync();
        var (source, target, other) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var refers = Under(Refers(target));

        var missing = Assert.IsType<TargetMissing>(await CreateAsync(node, source, refers));
        Assert.Equal((target, "/metadata/other"), (missing.Reference.Target, missing.Reference.Pointer));
        await CreateAsync(node, target, null);
        await AppendAsync(node, target, 1, null, new ResourceDeleted());
        Assert.IsType<TargetMissing>(await CreateAsync(node, source, refers));
        await AppendAsync(node, target, 2, null, new ResourceRestored());
        await AppendAsync(node, other, 0, null, Created("another-type"));
        Assert.IsType<TargetMissing>(await CreateAsync(node, source, Under(Refers(target), Refers(other))));
        Assert.Equal((0, 0), await node.Log.HeadAsync(source));
        Assert.Empty(await ReferencesAsync(source));

        Assert.IsType<Appended>(await CreateAsync(node, source, refers));
        Assert.Equal([target], await ReferencesAsync(source));
    }

    [Fact]
    public async Task What_others_refer_to_is_not_deleted_before_they_end_it()
    {
        await using var node = await database.StartLogAsync();
        var target = Guid.CreateVersion7();
        var sources = Enumerable.Range(0, 23).Select(_ => Guid.CreateVersion7()).Order().ToArray();
        var unreferenced = new Guards(null, [], [Refers(target) with { Takes = false }], true);
        await CreateAsync(node, target, Under(Refers(target)));
        foreach (var source in sources)
            Assert.IsType<Appended>(
                await CreateAsync(node, source, Under(Refers(target), Refers(target) with { Field = 3 }))
            );

        Assert.IsType<StillReferenced>(await AppendAsync(node, target, 1, unreferenced, new ResourceDeleted()));

        var referrers = await node.Log.ReferrersAsync(target);
        Assert.Equal(23, referrers.Count);
        Assert.Equal(sources, referrers.Resources);
        foreach (var source in sources)
            await AppendAsync(
                node,
                source,
                1,
                Under(Refers(target) with { Takes = false }, Refers(target) with { Field = 3, Takes = false }),
                new ResourceDeleted()
            );
        // It refers to itself, which is no reason to keep it.
        Assert.Equal([target], await ReferencesAsync(target));
        Assert.Equal(0, (await node.Log.ReferrersAsync(target)).Count);
        Assert.IsType<Appended>(await AppendAsync(node, target, 1, unreferenced, new ResourceDeleted()));
        Assert.Empty(await ReferencesAsync(target));
    }

    [Fact]
    public async Task A_fence_that_has_moved_refuses_and_says_where_it_is()
    {
        await using var node = await database.StartLogAsync();
        var (rules, one) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        Guards Decided(long position) => new(new(rules, position), [Takes("a")], [], false);

        Assert.Equal(new FenceMoved(0), await CreateAsync(node, one, Decided(1)));
        Assert.IsType<Appended>(await CreateAsync(node, one, Decided(0)));
        var head = (await node.AppendAsync(rules, 0, "rules", "more rules"))!.Positions[^1];
        var late = await AppendAsync(node, one, 1, Decided(0), new ResourceRenamed("late"));
        Assert.Equal(new FenceMoved(head), late);
        Assert.IsType<Appended>(await AppendAsync(node, one, 1, Decided(head), new ResourceRenamed("in time")));
    }

    [Fact]
    public async Task A_fence_notices_another_event_in_the_place_of_one_that_was_lost()
    {
        await using var node = await database.StartLogAsync();
        var (rules, one) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var lost = (await node.AppendAsync(rules, 0, "rules"))!.Positions[0];
        // After a failover another node appends to what is left of the stream.
        var found = (long)
            (
                await database.ExecuteAsync(
                    "update mt_events set seq_id = nextval('mt_events_sequence') where stream_id = $1 returning seq_id",
                    rules
                )
            )!;

        var outcome = await CreateAsync(node, one, new(new(rules, lost), [], [], false));

        Assert.Equal(new FenceMoved(found), outcome);
    }

    [Fact]
    public async Task A_stale_version_is_told_before_any_guard_and_a_fence_before_other_guards()
    {
        await using var node = await database.StartLogAsync();
        var (rules, one, two) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        var hopeless = new Guards(new(rules, 7), [Takes("a")], [Refers(Guid.CreateVersion7())], true);
        await CreateAsync(node, one, Under(Takes("a")));
        await CreateAsync(node, two, null);

        Assert.Equal(new Conflict(), await CreateAsync(node, two, hopeless));
        Assert.Equal(new FenceMoved(0), await AppendAsync(node, two, 1, hopeless, new ResourceRenamed("b")));
        Assert.IsType<Taken>(
            await AppendAsync(node, two, 1, hopeless with { Fence = new(rules, 0) }, new ResourceRenamed("b"))
        );
    }

    [Fact]
    public async Task Appends_of_one_moment_that_claim_one_value_are_checked_one_after_the_other()
    {
        await using var node = await database.StartLogAsync();
        var streams = Enumerable.Range(0, 6).Select(_ => Guid.CreateVersion7()).ToArray();

        Task<AppendOutcome>[] appends;
        await using (await database.HoldLockAsync())
        {
            appends = [.. streams.Select((stream, i) => CreateAsync(node, stream, Under(Takes(i < 5 ? "a" : "b"))))];
        }
        var outcomes = await Task.WhenAll(appends);

        Assert.Equal(4, outcomes.Count(outcome => outcome is Taken));
        var winner = streams[Array.FindIndex(outcomes, outcome => outcome is Appended)];
        Assert.Equal([("a", winner), ("b", streams[5])], await ClaimsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_a_reference_and_the_deletion_of_its_target_at_one_moment_one_wins(bool referenceFirst)
    {
        await using var node = await database.StartLogAsync();
        var (source, target) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await CreateAsync(node, target, null);
        Task<AppendOutcome> Refer() => CreateAsync(node, source, Under(Refers(target)));
        Task<AppendOutcome> Delete() => AppendAsync(node, target, 1, new(null, [], [], true), new ResourceDeleted());

        Task<AppendOutcome>[] appends;
        await using (await database.HoldLockAsync())
        {
            // The first takes the way to the lock; the others gather behind it.
            _ = node.AppendAsync(Guid.CreateVersion7(), 0, "first");
            appends = referenceFirst ? [Refer(), Delete()] : [Delete(), Refer()];
        }
        var outcomes = await Task.WhenAll(appends);

        Assert.IsType<Appended>(outcomes[0]);
        Assert.IsType(referenceFirst ? typeof(StillReferenced) : typeof(TargetMissing), outcomes[1]);
    }

    [Fact]
    public async Task Rules_that_change_at_the_moment_of_a_write_are_seen_by_it()
    {
        await using var node = await database.StartLogAsync();
        var (rules, one) = (Guid.CreateVersion7(), Guid.CreateVersion7());

        Task<Appended?> moved;
        Task<AppendOutcome> write;
        await using (await database.HoldLockAsync())
        {
            _ = node.AppendAsync(Guid.CreateVersion7(), 0, "first");
            moved = node.AppendAsync(rules, 0, "rules");
            write = CreateAsync(node, one, new(new(rules, 0), [], [], false));
        }

        Assert.Equal(new FenceMoved((await moved)!.Positions[0]), await write);
    }

    [Fact]
    public async Task An_append_that_is_sent_again_is_recognised_before_its_guards()
    {
        await using var node = await database.StartLogAsync();
        var (rules, one, once) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());

        var first = await SendAsync(one, once, rules);
        await node.AppendAsync(rules, 0, "rules");
        var again = await SendAsync(one, once, rules);
        var another = await SendAsync(one, Guid.CreateVersion7(), rules);
        var elsewhere = await SendAsync(Guid.CreateVersion7(), Guid.CreateVersion7(), rules);

        Assert.Equal(0, first.Outcome);
        Assert.Equal((0, first.Position), (again.Outcome, again.Position));
        Assert.Equal((1, null), (another.Outcome, another.Position));
        Assert.Equal((2, null), (elsewhere.Outcome, elsewhere.Position));
        Assert.Equal([("a", one)], await ClaimsAsync());
    }

    /// <summary>Sends the create of a resource that takes a value, under a fence at 0, as a node does.</summary>
    async Task<(int Outcome, long? Position)> SendAsync(Guid stream, Guid eventId, Guid rules)
    {
        await using var command = database.Source.CreateCommand(
            """
            select outcome, positions[1] from append_events(
                array[$1], array[0::bigint], array[1], array['command'], array['tester'], array[null], array[null]::jsonb[],
                array[1], array[$2], array['resource.created'], array['Resources.Grains.ResourceCreated, Resources.Grains'], array['{"type": "t"}'::jsonb],
                array[1], array[$3], array[0::bigint], array[1], array[$4], array[1], array[$5], array[true],
                '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')
            """
        );
        foreach (var argument in new object[] { stream, eventId, rules, scope, Takes("a").Value })
            command.Parameters.Add(new() { Value = argument });
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        await row.ReadAsync(Cancelled);
        return (row.GetInt16(0), row.IsDBNull(1) ? null : row.GetInt64(1));
    }

    Task<AppendOutcome> CreateAsync(StandaloneLog node, Guid stream, Guards? guards) =>
        AppendAsync(node, stream, 0, guards, Created(type));

    static ResourceCreated Created(string type) => new(type, "name", "active", JsonText.Empty, "owner");

    static Task<AppendOutcome> AppendAsync(
        StandaloneLog node,
        Guid stream,
        long expected,
        Guards? guards,
        params object[] events
    ) =>
        node.Log.AppendAsync(
            stream,
            expected,
            events,
            new(Guid.CreateVersion7(), "tester", null, null, Conditions.None),
            guards
        );

    static Guards Under(params Claim[] claims) => new(null, claims, [], false);

    static Guards Under(params Reference[] references) => new(null, [], references, false);

    Claim Takes(string value) =>
        new(scope, Rule, SHA256.HashData(Encoding.UTF8.GetBytes(value)), true, [$"/metadata/{value}"]);

    Claim Gives(string value) => Takes(value) with { Takes = false };

    Reference Refers(Guid target) => new(Field, target, type, true, "/metadata/other");

    /// <summary>The values of this test that are taken, with who has them.</summary>
    async Task<List<(string Value, Guid Holder)>> ClaimsAsync()
    {
        await using var command = database.Source.CreateCommand(
            """
            select v, resource from unnest(array['a', 'b', 'free']) v
            join unique_claims on value = sha256(v::bytea) and scope = $1 and rule = 1 order by v
            """
        );
        command.Parameters.Add(new() { Value = scope });
        var claims = new List<(string, Guid)>();
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        while (await row.ReadAsync(Cancelled))
            claims.Add((row.GetString(0), row.GetGuid(1)));
        return claims;
    }

    async Task<Guid[]> ReferencesAsync(Guid source) =>
        (Guid[])
            (
                await database.ExecuteAsync(
                    "select array(select target from resource_references where source = $1 order by target)",
                    source
                )
            )!;
}
