using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>
/// Random writers over few resources of four types that refer to each other in every way. Code that knows nothing of
/// grains then folds the log: nothing refers to what is not there, and nothing went that no policy says.
/// </summary>
public sealed class DeletionModelTests(TwoClusters clusters) : IClassFixture<TwoClusters>
{
    const int Writers = 16;
    const int ResourceCount = 60;

    static readonly TimeSpan Duration = TimeSpan.FromSeconds(20);

    readonly int seed = Random.Shared.Next();
    readonly Referring world = new(4);
    readonly Guid[] resources = [.. Enumerable.Range(0, ResourceCount).Select(_ => Guid.CreateVersion7())];
    readonly ConcurrentDictionary<string, int> answers = new();

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Writers_at_random_leave_no_dangling_reference()
    {
        await world.DeclareAsync(clusters.One);
        await clusters.Database.ExecuteAsync("select pg_stat_reset()");

        await Task.WhenAll(
            Enumerable
                .Range(0, Writers)
                .Select(n => WriteAsync(n % 2 is 0 ? clusters.One : clusters.Other, new(seed + n)))
        );

        var units = await FoldAsync();
        TestContext.Current.SendDiagnosticMessage(
            $"Seed {seed}: {units} units; "
                + string.Join(", ", answers.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key} {pair.Value}"))
        );
        Assert.True(units > 20, $"Only {units} deletions took others with them, seed {seed}");
        Assert.Equal(
            0L,
            await clusters.Database.ExecuteAsync(
                "select deadlocks from pg_stat_database where datname = current_database()"
            )
        );
    }

    string TypeOf(Guid id) => world.Types[Array.IndexOf(resources, id) % world.Types.Length];

    async Task WriteAsync(InProcessSilo node, Random random)
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < Duration)
        {
            var id = resources[random.Next(ResourceCount)];
            var metadata = Next(id, random);
            ResourceCommand command = random.Next(10) switch
            {
                < 2 => new DeleteResource(Scope.All, Scope.All),
                < 5 => new RestoreResource(),
                < 8 => new CreateResource(TypeOf(id), "n", null, metadata),
                _ => new ReplaceResource(null, "n", null, metadata),
            };
            var asked = Stopwatch.GetTimestamp();
            var reply = await node.Resource(id).Execute(command, Referring.Intend());
            Assert.True(Stopwatch.GetElapsedTime(asked) < TimeSpan.FromSeconds(10), $"{command} took too long");
            answers.AddOrUpdate($"{command.GetType().Name} {reply.Rejection?.Kind}", 1, (_, count) => count + 1);
        }
    }

    JsonText Next(Guid id, Random random)
    {
        Guid? Target(string member)
        {
            var fitting = resources.Where(one => TypeOf(one) == world.TargetOf(TypeOf(id), member)).ToArray();
            return random.Next(3) is 0 ? null : fitting[random.Next(fitting.Length)];
        }
        return Referring.Metadata(
            random.Next(4) is 0 ? Target("held")?.ToString() : null,
            Target("seen") is { } first ? [first, Target("seen") ?? first] : null,
            Target("part")
        );
    }

    /// <summary>What is known of a resource at a place in the log.</summary>
    sealed record State(bool IsLive, Dictionary<string, Guid[]> Targets)
    {
        public static readonly State None = new(false, []);

        public IEnumerable<Guid> All => IsLive ? Targets.Values.SelectMany(each => each) : [];

        public State After(string type, JsonElement data) =>
            type switch
            {
                "resource.deleted" => this with { IsLive = false },
                "resource.restored" => this with { IsLive = true },
                _ => new(
                    true,
                    data.GetProperty("metadata")
                        .EnumerateObject()
                        .ToDictionary(
                            member => member.Name,
                            member =>
                                member.Value.ValueKind is JsonValueKind.Array
                                    ? [.. member.Value.EnumerateArray().Select(item => item.GetGuid()).Distinct()]
                                    : new[] { member.Value.GetGuid() }
                        )
                ),
            };
    }

    /// <summary>Folds the log command by command; returns how many commands wrote several resources.</summary>
    async Task<int> FoldAsync()
    {
        var states = resources.ToDictionary(id => id, _ => State.None);
        var units = 0;
        foreach (var command in (await EventsAsync()).GroupBy(one => one.Command))
        {
            var happened = command.ToArray();
            Assert.Equal(
                Enumerable.Range(0, happened.Length).Select(n => happened[0].Position + n),
                happened.Select(one => one.Position)
            );
            var before = new Dictionary<Guid, State>(states);
            foreach (var (_, id, _, type, data) in happened)
                states[id] = states[id].After(type, data);
            if (happened.Length > 1)
            {
                units++;
                CheckUnit([.. happened.Select(one => one.Id)], before, states);
            }
            foreach (var (source, state) in states)
            foreach (var target in state.All)
                Assert.True(
                    states[target].IsLive,
                    $"{source} refers to {target} at {happened[^1].Position}, seed {seed}"
                );
        }
        await CompareAsync(states);
        return units;
    }

    /// <summary>Whatever went with the last one had a reason, and so had whatever lost a reference.</summary>
    void CheckUnit(Guid[] members, Dictionary<Guid, State> before, Dictionary<Guid, State> after)
    {
        var gone = members.Where(id => !after[id].IsLive).ToHashSet();
        Assert.Contains(members[^1], gone);
        foreach (var id in members[..^1])
            if (gone.Contains(id))
                Assert.True(
                    before[id].Targets.GetValueOrDefault("part", []).Any(gone.Contains),
                    $"{id} went without a reason, seed {seed}"
                );
            else
                Assert.Equal(
                    before[id]
                        .Targets.SelectMany(pair => pair.Value.Select(target => (pair.Key, target)))
                        .Where(one => one.Key is not "seen" || !gone.Contains(one.target))
                        .Order(),
                    after[id].Targets.SelectMany(pair => pair.Value.Select(target => (pair.Key, target))).Order()
                );
    }

    async Task CompareAsync(Dictionary<Guid, State> states)
    {
        await using var command = clusters.Database.Source.CreateCommand(
            "select source, target from resource_references where source = any ($1) group by source, target"
        );
        command.Parameters.Add(new() { Value = resources });
        var stored = new HashSet<(Guid, Guid)>();
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        while (await row.ReadAsync(Cancelled))
            stored.Add((row.GetGuid(0), row.GetGuid(1)));
        Assert.Equal(
            states.SelectMany(pair => pair.Value.All.Select(target => (pair.Key, target))).ToHashSet(),
            stored
        );
    }

    async Task<List<(long Position, Guid Id, string Command, string Type, JsonElement Data)>> EventsAsync()
    {
        await using var command = clusters.Database.Source.CreateCommand(
            "select seq_id, stream_id, causation_id, type, data::text from mt_events where stream_id = any ($1) order by seq_id"
        );
        command.Parameters.Add(new() { Value = resources });
        var events = new List<(long, Guid, string, string, JsonElement)>();
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        while (await row.ReadAsync(Cancelled))
            events.Add(
                (
                    row.GetInt64(0),
                    row.GetGuid(1),
                    row.GetString(2),
                    row.GetString(3),
                    JsonElement.Parse(row.GetString(4))
                )
            );
        return events;
    }
}
