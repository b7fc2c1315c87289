using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>
/// Deletions of what others refer to, on whole nodes. "The other node" is one of another cluster over the same database.
/// </summary>
public sealed class DeletionTests(TwoClusters clusters) : IClassFixture<TwoClusters>, IAsyncLifetime
{
    // One type that refers to itself by all members.
    readonly Referring one = new(1);

    string Type => one.Types[0];

    InProcessSilo One => clusters.One;

    InProcessSilo Other => clusters.Other;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await one.DeclareAsync(One);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Deletion_takes_parts_with_it_and_leaves_what_only_saw_it()
    {
        var root = await MadeAsync();
        var part = await MadeAsync(part: root);
        var detail = await MadeAsync(part: part);
        var stranger = await MadeAsync();
        var seeing = await MadeAsync(seen: [part, stranger, root]);

        var deleted = await Referring.DeleteAsync(One, root);

        Assert.Null(deleted.Rejection);
        Assert.NotNull(deleted.Value!.DeletedAt);
        Assert.Equal(2, deleted.Version);
        foreach (var gone in new[] { root, part, detail })
            Assert.NotNull((await One.Resource(gone).Get()).Value!.DeletedAt);
        var left = (await One.Resource(seeing).Get()).Value!;
        Assert.Null(left.DeletedAt);
        Assert.Equal(Referring.Metadata(null, [stranger], null), left.Metadata);
        Assert.Equal("alice", left.UpdatedBy);
        Assert.Equal([seeing, detail, part, root], await UnitAsync(root));
        Assert.Equal([stranger], await TargetsAsync(seeing));
        // What is restored refers again, or cannot.
        Assert.Equal(
            Refusal.ReferenceNotFound,
            (await One.Resource(part).Execute(new RestoreResource(), Referring.Intend())).Rejection!.Kind
        );
    }

    [Fact]
    public async Task One_that_holds_keeps_everything_as_it_is()
    {
        var root = await MadeAsync();
        var part = await MadeAsync(part: root);
        var holding = await MadeAsync(held: part);

        var refused = await Referring.DeleteAsync(One, root);

        Assert.Equal(Refusal.StillReferenced, refused.Rejection!.Kind);
        Assert.Equal((1, holding), (refused.Rejection.Referrers!.Count, refused.Rejection.Referrers.Resources[0]));
        Assert.Null((await One.Resource(part).Get()).Value!.DeletedAt);
        // It goes by itself with what it refers to, and then holds nothing.
        Assert.Null((await Referring.DeleteAsync(One, holding)).Rejection);
        Assert.Null((await Referring.DeleteAsync(One, root)).Rejection);
        Assert.NotNull((await One.Resource(part).Get()).Value!.DeletedAt);
    }

    [Fact]
    public async Task Cascades_along_a_cycle_from_all_its_members_at_once_end()
    {
        for (var n = 0; n < 8; n++)
        {
            var cycle = Enumerable.Range(0, 6).Select(_ => Guid.CreateVersion7()).ToArray();
            await MadeAsync(cycle[0]);
            for (var i = 1; i < cycle.Length; i++)
                await MadeAsync(cycle[i], part: cycle[i - 1]);
            var closed = await One.Resource(cycle[0])
                .Execute(
                    new ReplaceResource(null, "n", null, Referring.Metadata(null, null, cycle[^1])),
                    Referring.Intend()
                );
            Assert.Null(closed.Rejection);

            var started = Stopwatch.GetTimestamp();
            var replies = await Task.WhenAll(
                cycle.Select((id, i) => Referring.DeleteAsync(i % 2 is 0 ? One : Other, id))
            );

            Assert.All(replies, reply => Assert.Null(reply.Rejection));
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(8));
            foreach (var id in cycle)
                Assert.Contains(id, await UnitAsync(cycle[0]));
        }
    }

    [Fact]
    public async Task Referrers_that_come_without_pause_go_or_are_refused()
    {
        for (var n = 0; n < 10; n++)
        {
            var root = await MadeAsync();
            for (var i = 0; i < 5; i++)
                await MadeAsync(part: root);
            var coming = Enumerable
                .Range(0, 20)
                .Select(i => Referring.PutAsync(i % 2 is 0 ? One : Other, Guid.CreateVersion7(), Type, part: root))
                .ToArray();

            var deleted = await Referring.DeleteAsync(n % 2 is 0 ? One : Other, root);

            Assert.Null(deleted.Rejection);
            Assert.All(await Task.WhenAll(coming), reply =>
                Assert.True(reply.Rejection is null or { Kind: Refusal.ReferenceNotFound }, $"{reply.Rejection}")
            );
            Assert.Empty(await ReferrersAsync(root));
        }
    }

    [Fact]
    public async Task Repeated_deletion_has_its_first_answer()
    {
        var root = await MadeAsync();
        var part = await MadeAsync(part: root);
        var intent = Referring.Intend() with { Fingerprint = "print" };
        await Referring.DeleteAsync(One, root, intent);
        await One.Resource(root).Execute(new RestoreResource(), Referring.Intend());

        var again = await Referring.DeleteAsync(Other, root, intent);

        Assert.Equal((null, 2, true), (again.Rejection, again.Version, again.Replayed));
        Assert.Equal(2, (await One.Resource(part).Get()).Version);
        // The key was that of another request.
        var own = await Other.Resource(part).Execute(new RestoreResource(), intent with { Fingerprint = "other" });
        Assert.Null(own.Rejection);
    }

    [Fact]
    public async Task Unset_that_the_type_refuses_holds_the_target()
    {
        var picky = new Referring(1);
        var type = picky.Types[0];
        await picky.DeclareAsync(One);
        var root = Guid.CreateVersion7();
        await Referring.PutAsync(One, root, type);
        var seeing = Guid.CreateVersion7();
        await Referring.PutAsync(One, seeing, type, seen: [root]);
        var definition = picky
            .Definition(type, refers: true)
            .ToString()
            .Replace(
                "\"seen\":{\"type\":\"array\"}",
                "\"seen\":{\"type\":\"array\",\"minItems\":1}",
                StringComparison.Ordinal
            );
        await Referring.ChangeAsync(One, type, new ReplaceType(Referring.Text(definition)));

        var refused = await Referring.DeleteAsync(Other, root);

        Assert.Equal(Refusal.StillReferenced, refused.Rejection?.Kind);
        Assert.Equal([seeing], refused.Rejection!.Referrers!.Resources);
    }

    [Fact]
    public async Task Policy_that_was_changed_at_one_node_is_that_of_the_other_at_once()
    {
        var changing = new Referring(1);
        var type = changing.Types[0];
        await changing.DeclareAsync(One);
        var definition = changing.Definition(type, refers: true).ToString();
        for (var n = 0; n < 10; n++)
        {
            var (root, part) = (Guid.CreateVersion7(), Guid.CreateVersion7());
            await Referring.PutAsync(Other, root, type);
            await Referring.PutAsync(Other, part, type, part: root);
            var policy = n % 2 is 0 ? "restrict" : "cascade";
            await Referring.ChangeAsync(
                One,
                type,
                new ReplaceType(Referring.Text(definition.Replace("cascade", policy, StringComparison.Ordinal)))
            );

            var reply = await Referring.DeleteAsync(Other, root);

            Assert.Equal(n % 2 is 0 ? Refusal.StillReferenced : null, reply.Rejection?.Kind);
            Assert.Equal(n % 2 is 0 ? 1 : 2, (await One.Resource(part).Get()).Version);
        }
    }

    [Fact]
    public async Task Deletion_of_what_nobody_refers_to_is_one_statement()
    {
        var id = await MadeAsync();
        Assert.Equal(1, (await One.Resource(id).Get()).Version);
        var database = new NpgsqlConnectionStringBuilder(clusters.Database.ConnectionString).Database;
        var statements = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.TagObjects.Any(tag => Equals(tag.Value, database)))
                    foreach (var tag in activity.TagObjects)
                        if (
                            tag.Value is string text
                            && text.Contains("append_events", StringComparison.Ordinal)
                                | text.Contains("resource_references", StringComparison.Ordinal)
                        )
                            statements.Enqueue(text);
            },
        };
        ActivitySource.AddActivityListener(listener);

        Assert.Null((await Referring.DeleteAsync(One, id)).Rejection);

        Assert.Contains("append_events", Assert.Single(statements), StringComparison.Ordinal);
    }

    async Task<Guid> MadeAsync(Guid? held = null, Guid[]? seen = null, Guid? part = null)
    {
        var id = Guid.CreateVersion7();
        await MadeAsync(id, held, seen, part);
        return id;
    }

    async Task MadeAsync(Guid id, Guid? held = null, Guid[]? seen = null, Guid? part = null)
    {
        var reply = await Referring.PutAsync(One, id, Type, held?.ToString(), seen, part);
        Assert.True(reply.Rejection is null, $"{reply.Rejection}");
    }

    /// <summary>The resources that were written with the last event of one, in the order of the log, which has no gap.</summary>
    async Task<Guid[]> UnitAsync(Guid id)
    {
        await using var command = clusters.Database.Source.CreateCommand(
            """
            select seq_id, stream_id from mt_events
            where causation_id = (select causation_id from mt_events where stream_id = $1 order by version desc limit 1) order by seq_id
            """
        );
        command.Parameters.Add(new() { Value = id });
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        var unit = new List<(long Position, Guid Id)>();
        while (await row.ReadAsync(Cancelled))
            unit.Add((row.GetInt64(0), row.GetGuid(1)));
        Assert.Equal(
            Enumerable.Range(0, unit.Count).Select(n => unit[0].Position + n),
            unit.Select(one => one.Position)
        );
        return [.. unit.Select(one => one.Id)];
    }

    Task<Guid[]> TargetsAsync(Guid source) =>
        IdsAsync("select array(select target from resource_references where source = $1)", source);

    Task<Guid[]> ReferrersAsync(Guid target) =>
        IdsAsync("select array(select source from resource_references where target = $1)", target);

    async Task<Guid[]> IdsAsync(string sql, Guid id) => (Guid[])(await clusters.Database.ExecuteAsync(sql, id))!;
}
