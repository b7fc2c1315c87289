using System.Text;
using System.Text.Json;
using Npgsql;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>
/// Resource grains on whole nodes. "Another activation" is a grain of the same id in another cluster over the same
/// database.
/// </summary>
public sealed class ResourceGrainTests(TwoClusters nodes) : IClassFixture<TwoClusters>
{
    readonly Guid id = Guid.CreateVersion7();

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;
    InProcessSilo One => nodes.One;
    InProcessSilo Other => nodes.Other;

    [Fact]
    public async Task Writers_on_two_activations_never_fork_a_stream_or_get_a_conflict()
    {
        await CreateAsync(One);
        async Task<List<long>> WriteAsync(InProcessSilo node, int writer)
        {
            var versions = new List<long>();
            for (var i = 0; i < 25; i++)
            {
                var reply = await node.Resource(id).Execute(Rename($"{writer} {i}"), Intend());
                Assert.Null(reply.Rejection);
                Assert.Equal($"{writer} {i}", reply.Value!.Name);
                versions.Add(reply.Version);
            }
            return versions;
        }

        var written = await Task.WhenAll(
            Enumerable.Range(0, 8).Select(writer => WriteAsync(writer % 2 is 0 ? One : Other, writer))
        );

        Assert.Equal(
            Enumerable.Range(2, 200).Select(version => (long)version),
            written.SelectMany(versions => versions).Order()
        );
        var names = await nodes.Database.NamesAsync(id);
        for (var writer = 0; writer < 8; writer++)
        for (var i = 0; i < 25; i++)
            Assert.Equal($"{writer} {i}", names[written[writer][i] - 1]);
    }

    [Fact]
    [Trait("Conformance", "F6")]
    public async Task Of_ten_writers_with_one_expected_version_one_wins()
    {
        await CreateAsync(One);
        await Other.Resource(id).Get();

        var replies = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(writer =>
                    (writer % 2 is 0 ? One : Other).Resource(id).Execute(Rename($"writer {writer}"), Intend(ifMatch: 1))
                )
        );

        Assert.Equal(2, Assert.Single(replies, reply => reply.Rejection is null).Version);
        Assert.All(replies.Where(reply => reply.Rejection is not null), reply =>
            Assert.Equal((Refusal.VersionMismatch, 2L), (reply.Rejection!.Kind, reply.Rejection.Version!.Value))
        );
        Assert.Equal(2, (await nodes.Database.NamesAsync(id)).Length);
    }

    [Fact]
    public async Task Write_on_one_activation_is_seen_by_the_next_write_on_the_other()
    {
        await CreateAsync(One);
        await Other.Resource(id).Get();
        await One.Resource(id).Execute(Rename("from one"), Intend());

        var reply = await Other
            .Resource(id)
            .Execute(new PatchResource(PatchFormat.Merge, """{"status":"changed"}"""u8.ToArray()), Intend());

        Assert.Equal(("from one", "changed", 3L), (reply.Value!.Name, reply.Value.Status, reply.Version));
    }

    [Fact]
    public async Task Command_retried_on_another_activation_runs_once()
    {
        await CreateAsync(One);
        var command = Rename("once");
        var sent = Intend();
        await One.Resource(id).Get();
        // The first activation is stuck; the edge gives up on it and sends the command to another, and life goes on.
        Assert.Equal(2, (await Other.Resource(id).Execute(command, sent with { Repeated = true })).Version);
        Assert.Equal(3, (await Other.Resource(id).Execute(Rename("later"), Intend())).Version);

        var late = await One.Resource(id).Execute(command, sent);

        Assert.Equal((2L, "once"), (late.Version, late.Value!.Name));
        Assert.Equal(3, (await nodes.Database.NamesAsync(id)).Length);
    }

    // What a read promises: memory is answered while the node's contact with the store and the cluster is fresh, since
    // the cluster then lets no second activation exist. Without that the stream's version is asked for first, for reads
    // and for every answer that rests on the state without appending to it.
    [Fact]
    public async Task Activation_on_a_disconnected_node_returns_nothing_stale()
    {
        await using var lost = await InProcessSilo.StartAsync(nodes.Database, "grains-lost");
        await CreateAsync(One);
        var gone = Guid.CreateVersion7();
        await One.Resource(gone).Execute(Create, Intend());
        foreach (var known in new[] { id, gone })
            Assert.Equal(1, (await lost.Resource(known).Get()).Version);
        await One.Resource(id).Execute(Rename("newer"), Intend());
        await One.Resource(gone).Execute(new DeleteResource(), Intend());

        // As after a pause: nothing was heard from the database for longer than memory may be trusted.
        await lost.Service<StoreProbe>().StopAsync(Cancelled);
        await Eventually.HoldsAsync(
            () => !lost.Contact.IsMember,
            TimeSpan.FromSeconds(5),
            () => "the node mistrusts its memory"
        );

        var mismatch = await lost.Resource(id).Execute(Rename("too late"), Intend(ifMatch: 1));
        Assert.Equal((Refusal.VersionMismatch, 2L), (mismatch.Rejection!.Kind, mismatch.Rejection.Version!.Value));
        Assert.NotNull((await lost.Resource(gone).Get()).Value!.DeletedAt);
        await One.Resource(id).Execute(Rename("newest"), Intend());
        Assert.Equal(("newest", 3L), await NameAsync(lost));
        await One.Resource(id).Execute(Rename("again"), Intend());
        var unchanged = await lost.Resource(id).Execute(Rename("again"), Intend());
        Assert.Equal(("again", 4L), (unchanged.Value!.Name, unchanged.Version));
        Assert.Equal(4, (await nodes.Database.NamesAsync(id)).Length);
    }

    [Fact]
    public async Task Membership_change_causes_no_stale_reads()
    {
        await using var node = await InProcessSilo.StartAsync(nodes.Database, "grains-settle");
        await CreateAsync(One);
        Assert.Equal(1, (await node.Resource(id).Get()).Version);
        await One.Resource(id).Execute(Rename("newer"), Intend());
        Assert.Equal(1, (await node.Resource(id).Get()).Version);

        node.Contact.MembersChanged();

        Assert.True(node.Contact.IsMember, "The node serves on.");
        Assert.Equal(("newer", 2L), await NameAsync(node));
    }

    [Fact]
    public async Task Stream_of_a_thousand_events_is_read_from_its_snapshot()
    {
        await CreateAsync(One);
        Reply<Resource> last = null!;
        for (var i = 2; i <= 1000; i++)
            last = await One.Resource(id).Execute(Rename($"name {i}"), Intend());
        Assert.Equal(1000, last.Version);
        await Eventually.HoldsAsync(
            async () =>
                await nodes.Database.ExecuteAsync("select version from stream_milestones where stream_id = $1", id)
                    is 1000L,
            TimeSpan.FromSeconds(10),
            () => "the state is saved"
        );
        await One.DeactivateAsync(id);

        // Whoever read one of the first 850 events would stumble over it.
        await nodes.Database.ExecuteAsync(
            "update mt_events set data = '{\"name\": 5}' where stream_id = $1 and version <= 850",
            id
        );

        AssertSame(last, await One.Resource(id).Get());
        AssertSame(last, await Other.Resource(id).Get());
        AssertSame(last, await One.Resource(id).GetPast(new() { Version = 1000 }));
        AssertSame(last, await One.Resource(id).GetPast(new() { Position = last.Position }));
    }

    [Fact]
    public async Task Read_of_the_past_delays_no_write_of_the_resource()
    {
        await CreateAsync(One);
        await One.Resource(id).Execute(Rename("second"), Intend());
        await using var blocker = new NpgsqlConnection(nodes.Database.ConnectionString);
        await blocker.OpenAsync(Cancelled);
        await using var transaction = await blocker.BeginTransactionAsync(Cancelled);
        await using var hold = new NpgsqlCommand("lock table stream_milestones", blocker, transaction);
        await hold.ExecuteNonQueryAsync(Cancelled);
        var past = One.Resource(id).GetPast(new() { Version = 1 });

        Assert.Equal(3, (await One.Resource(id).Execute(Rename("third"), Intend())).Version);

        Assert.False(past.IsCompleted);
        await transaction.RollbackAsync(Cancelled);
        Assert.Equal(("new", 1L), ((await past).Value!.Name, (await past).Version));
    }

    [Theory]
    [InlineData("delete from stream_snapshots where stream_id = $1")]
    [InlineData("update stream_snapshots set state = '{\"name\": 5}' where stream_id = $1")]
    [InlineData("update stream_snapshots set state = state - 'type' where stream_id = $1")]
    [InlineData(
        "update stream_snapshots set format = 'Resource:of another age', state = '{\"shape\": \"unknown\"}' where stream_id = $1"
    )]
    public async Task Missing_or_incompatible_snapshots_change_no_result(string accident)
    {
        await CreateAsync(One);
        for (var i = 2; i <= 120; i++)
            await One.Resource(id).Execute(Rename($"name {i}"), Intend());
        var before = await One.Resource(id).Get();
        await Eventually.HoldsAsync(
            async () =>
                await nodes.Database.ExecuteAsync("select count(*) from stream_snapshots where stream_id = $1", id)
                    is 1L,
            TimeSpan.FromSeconds(10),
            () => "the state is saved"
        );

        await nodes.Database.ExecuteAsync(accident, id);
        await One.DeactivateAsync(id);

        AssertSame(before, await One.Resource(id).Get());
        AssertSame(before, await Other.Resource(id).Get());
        Assert.Equal(121, (await One.Resource(id).Execute(Rename("on"), Intend())).Version);
    }

    [Fact]
    public async Task Repeated_key_has_one_effect_after_deactivation_and_on_another_activation()
    {
        var created = Intend("create");
        var renamed = Intend("rename");
        var first = await One.Resource(id).Execute(Create, created);
        var second = await One.Resource(id).Execute(Rename("renamed"), renamed);
        await One.Resource(id).Execute(Rename("moved on"), Intend());

        await One.DeactivateAsync(id);
        foreach (var node in new[] { One, Other })
        {
            AssertSame(first with { Replayed = true }, await node.Resource(id).Execute(Create, created));
            AssertSame(second with { Replayed = true }, await node.Resource(id).Execute(Rename("renamed"), renamed));
            Assert.Equal(
                Refusal.KeyReused,
                (await node.Resource(id).Execute(Rename("other"), renamed with { Fingerprint = "other" }))
                    .Rejection!
                    .Kind
            );
        }

        Assert.Equal(["new", "renamed", "moved on"], await nodes.Database.NamesAsync(id));
    }

    [Fact]
    [Trait("Conformance", "F7")]
    public async Task Key_sent_to_two_activations_at_once_has_one_effect()
    {
        for (var round = 0; round < 20; round++)
        {
            var fresh = Guid.CreateVersion7();
            var intent = Intend($"round {round}");

            var replies = await Task.WhenAll(
                Enumerable.Range(0, 10).Select(i => (i % 2 is 0 ? One : Other).Resource(fresh).Execute(Create, intent))
            );

            Assert.All(replies, reply => Assert.Equal((null, 1L), (reply.Rejection, reply.Version)));
            Assert.Single(await nodes.Database.NamesAsync(fresh));
            Assert.Single(replies, reply => !reply.Replayed);
        }
    }

    /// <summary>
    /// What was loaded while a write was in doubt may be overtaken by it: the memory is compared once more when the
    /// doubt is over.
    /// </summary>
    [Fact]
    public async Task Write_that_commits_late_is_seen_after_the_doubt()
    {
        await using var node = await InProcessSilo.StartAsync(nodes.Database, "grains-doubt");
        await CreateAsync(node);
        await using (var blocker = new NpgsqlConnection(nodes.Database.ConnectionString))
        {
            await blocker.OpenAsync(Cancelled);
            await using var transaction = await blocker.BeginTransactionAsync(Cancelled);
            await using var hold = new NpgsqlCommand("select pg_advisory_xact_lock(7238163)", blocker, transaction);
            await hold.ExecuteNonQueryAsync(Cancelled);
            await Assert.ThrowsAsync<StoreUnavailableException>(() =>
                node.Resource(id).Execute(Rename("late"), Intend())
            );
        }
        Assert.Equal(("new", 1L), await NameAsync(node));

        await Other.Resource(id).Execute(Rename("late"), Intend());
        await node.PassAsync(TimeSpan.FromSeconds(31));

        Assert.Equal(("late", 2L), await NameAsync(node));
    }

    [Fact]
    public async Task Write_at_the_end_of_a_membership_change_is_seen_after_it()
    {
        await using var node = await InProcessSilo.StartAsync(nodes.Database, "grains-settled");
        await CreateAsync(node);
        node.Contact.MembersChanged();
        Assert.Equal(("new", 1L), await NameAsync(node));

        await Other.Resource(id).Execute(Rename("elsewhere"), Intend());
        await node.PassAsync(StoreContact.SettlesWithin + TimeSpan.FromSeconds(1));

        Assert.Equal(("elsewhere", 2L), await NameAsync(node));
    }

    [Fact]
    public async Task Absence_is_not_remembered()
    {
        Assert.Equal(0, (await One.Resource(id).Get()).Version);
        await CreateAsync(Other);

        Assert.Equal(("new", 1L), await NameAsync(One));
    }

    [Fact]
    public async Task Keyed_command_that_changed_nothing_changes_nothing_when_repeated()
    {
        await CreateAsync(One);
        var idle = Intend("idle");
        var first = await One.Resource(id).Execute(Rename("new"), idle);
        Assert.Equal((1L, false), (first.Version, first.Replayed));
        await One.Resource(id).Execute(Rename("moved on"), Intend());

        foreach (var node in new[] { One, Other })
            AssertSame(first with { Replayed = true }, await node.Resource(id).Execute(Rename("new"), idle));

        Assert.Equal(["new", "moved on"], await nodes.Database.NamesAsync(id));
        Assert.Equal(
            Refusal.KeyReused,
            (await Other.Resource(id).Execute(Rename("b"), idle with { Fingerprint = "b" })).Rejection!.Kind
        );
    }

    /// <summary>Whoever repeats a write needs no turn among those who read the past.</summary>
    [Fact]
    public async Task Repeated_key_is_answered_beside_reads_of_the_past_that_hang()
    {
        await using var node = await InProcessSilo.StartAsync(nodes.Database, "grains-lanes");
        await CreateAsync(node);
        var keyed = Intend("keyed");
        var first = await node.Resource(id).Execute(Rename("keyed"), keyed);
        var log = node.Service<EventLog>();
        var held = new TaskCompletionSource<bool>();
        var hanging = Enumerable.Range(0, 3).Select(_ => log.InTurnOfPastAsync(() => held.Task)).ToArray();

        await Assert.ThrowsAnyAsync<StoreOverloadedException>(() => node.Resource(id).GetPast(new() { Version = 1 }));
        AssertSame(first with { Replayed = true }, await node.Resource(id).Execute(Rename("keyed"), keyed));

        held.SetResult(true);
        await Task.WhenAll(hanging);
        Assert.Equal(1, (await node.Resource(id).GetPast(new() { Version = 1 })).Version);
    }

    static CreateResource Create => new("resource", "new", "active", JsonText.From(JsonElement.Parse("""{"a":1}""")));

    static PatchResource Rename(string name) =>
        new(PatchFormat.Merge, Encoding.UTF8.GetBytes($$"""{"name":"{{name}}"}"""));

    static Intent Intend(string? key = null, long? ifMatch = null) =>
        new(
            Guid.CreateVersion7(),
            "tester",
            null,
            key is null ? null : $"print of {key}",
            ifMatch is { } version ? Conditions.None with { IfMatch = [version] } : Conditions.None
        );

    async Task CreateAsync(InProcessSilo node) =>
        Assert.Equal(1, (await node.Resource(id).Execute(Create, Intend())).Version);

    async Task<(string, long)> NameAsync(InProcessSilo node) =>
        await node.Resource(id).Get() is var reply ? (reply.Value!.Name, reply.Version) : default;

    static void AssertSame(Reply<Resource> expected, Reply<Resource> actual) => Assert.Equal(expected, actual);
}
