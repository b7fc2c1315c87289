using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Npgsql;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>
/// Many writers on three nodes over few values, few resources and rules that move: whatever they do at random, the log
/// keeps the promises of the guards at each of its positions, and the tables say what a fold of the log says.
/// </summary>
public sealed class GuardRaceTests(LogDatabase database) : IClassFixture<LogDatabase>
{
    const int Writers = 24;
    const int Attempts = 120;
    const int ResourceCount = 24;
    const int Values = 12;

    static readonly Guid Rules = DerivedId.Of("type", "raced");

    readonly int seed = Random.Shared.Next();
    readonly Guid[] resources = [.. Enumerable.Range(0, ResourceCount).Select(_ => Guid.CreateVersion7())];
    readonly ConcurrentDictionary<Type, int> outcomes = new();

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Writers_at_random_leave_a_log_without_double_values_dangling_references_or_old_rules()
    {
        TestContext.Current.SendDiagnosticMessage($"Guard race, seed {seed}");
        await using var one = await database.StartLogAsync();
        await using var two = await database.StartLogAsync();
        await using var three = await database.StartLogAsync();

        await Task.WhenAll(
            Enumerable
                .Range(0, Writers)
                .Select(i =>
                    WriteAsync(
                        (i % 3) switch
                        {
                            0 => one,
                            1 => two,
                            _ => three,
                        },
                        new(seed + i)
                    )
                )
        );

        TestContext.Current.SendDiagnosticMessage(
            string.Join(", ", outcomes.OrderBy(pair => pair.Key.Name).Select(pair => $"{pair.Key.Name} {pair.Value}"))
        );
        Type[] all =
        [
            typeof(Appended),
            typeof(Conflict),
            typeof(FenceMoved),
            typeof(Taken),
            typeof(TargetMissing),
            typeof(StillReferenced),
        ];
        Assert.All(all, kind => Assert.True(outcomes.ContainsKey(kind), $"No {kind.Name} with seed {seed}"));
        var states = await FoldAsync();
        var holding = states.Where(pair => pair.Value.IsLive).ToList();
        Assert.Equal(
            holding.Select(pair => (Hash(pair.Value.Value), pair.Key)).Order(),
            (await PairsAsync("select encode(value, 'hex'), resource from unique_claims")).Order()
        );
        Assert.Equal(
            holding.SelectMany(pair => pair.Value.Targets.Select(target => ($"{target}", pair.Key))).Order(),
            (await PairsAsync("select target::text, source from resource_references")).Order()
        );
    }

    /// <summary>What a resource holds while it is live.</summary>
    sealed record State(bool IsLive, string Value, Guid[] Targets, long Version)
    {
        public static readonly State None = new(false, "", [], 0);

        public State After(object happened) =>
            happened switch
            {
                ResourceCreated e => Read(true, e.Metadata),
                ResourceReplaced e => Read(true, e.Metadata),
                ResourceDeleted => this with { IsLive = false, Version = Version + 1 },
                ResourceRestored => this with { IsLive = true, Version = Version + 1 },
                _ => throw new InvalidDataException(happened.GetType().Name),
            };

        State Read(bool isLive, JsonText metadata)
        {
            var members = metadata.ToElement();
            return new(
                isLive,
                members.GetProperty("value").GetString()!,
                [.. members.GetProperty("targets").EnumerateArray().Select(target => target.GetGuid())],
                Version + 1
            );
        }
    }

    async Task WriteAsync(StandaloneLog node, Random random)
    {
        var rules = 0L;
        for (var i = 0; i < Attempts; i++)
        {
            if (random.Next(100) is 0)
                // Whether this change of the rules or that of another writer comes first does not matter.
                await node.AppendAsync(Rules, (await node.Log.HeadAsync(Rules)).Version, "rules");
            var stream = resources[random.Next(ResourceCount)];
            var before = await ReadAsync(node, stream);
            var (happened, deletes) = Next(before, random);
            var outcome = await node.Log.AppendAsync(
                stream,
                before.Version,
                [happened],
                // The fold compares the rules that were meant with those that were in force.
                new(Guid.CreateVersion7(), $"{rules}", null, null, Conditions.None),
                Between(before, before.After(happened), rules, deletes)
            );
            outcomes.AddOrUpdate(outcome.GetType(), 1, (_, count) => count + 1);
            if (outcome is FenceMoved moved)
                rules = moved.Position;
        }
    }

    static async Task<State> ReadAsync(StandaloneLog node, Guid stream) =>
        (await node.Log.ReadAsync(stream)).Aggregate(State.None, (state, stored) => state.After(stored.Data));

    (object Happened, bool Deletes) Next(State before, Random random)
    {
        var targets = Enumerable.Range(0, random.Next(3)).Select(_ => resources[random.Next(ResourceCount)]);
        var metadata = JsonText.From(
            JsonSerializer.SerializeToElement(new { value = $"v{random.Next(Values)}", targets = targets.Distinct() })
        );
        return before switch
        {
            { Version: 0 } => (new ResourceCreated("raced", "n", "active", metadata, "owner"), false),
            { IsLive: false } => (new ResourceRestored(), false),
            _ when random.Next(3) is 0 => (new ResourceDeleted(), true),
            _ => (new ResourceReplaced("n", "active", metadata), false),
        };
    }

    static Guards Between(State before, State after, long rules, bool deletes)
    {
        var (had, has) = (Held(before), Held(after));
        return new(
            new(Rules, rules),
            [.. Claims(had, has)],
            [
                .. has
                    .Targets.Except(had.Targets)
                    .Select(target => new Reference(1, target, "raced", true, "/targets")),
                .. had.Targets.Except(has.Targets).Select(target => new Reference(1, target, "raced", false, "")),
            ],
            deletes
        );
    }

    static IEnumerable<Claim> Claims((string? Value, Guid[] Targets) had, (string? Value, Guid[] Targets) has)
    {
        if (had.Value == has.Value)
            yield break;
        if (had.Value is { } given)
            yield return new(Rules, 1, SHA256.HashData(Encoding.UTF8.GetBytes(given)), false, []);
        if (has.Value is { } taken)
            yield return new(Rules, 1, SHA256.HashData(Encoding.UTF8.GetBytes(taken)), true, ["/value"]);
    }

    static (string? Value, Guid[] Targets) Held(State state) =>
        state.IsLive ? (state.Value, state.Targets) : (null, []);

    static string Hash(string value) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(value)));

    /// <summary>The states after the whole log, which keeps every promise on the way.</summary>
    async Task<Dictionary<Guid, State>> FoldAsync()
    {
        var kinds = new EventKinds();
        var states = new Dictionary<Guid, State>();
        var (rules, changes) = (0L, 0L);
        await using var command = database.Source.CreateCommand(
            "select stream_id, version, type, data::text, user_name, seq_id from mt_events order by seq_id"
        );
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        while (await row.ReadAsync(Cancelled))
        {
            var stream = row.GetGuid(0);
            if (stream == Rules)
            {
                Assert.Equal(++changes, row.GetInt64(1));
                rules = row.GetInt64(5);
                continue;
            }
            var state = states
                .GetValueOrDefault(stream, State.None)
                .After(kinds.Read(row.GetString(2), row.GetString(3))!);
            Assert.Equal(state.Version, row.GetInt64(1));
            Assert.Equal($"{rules}", row.GetString(4));
            states[stream] = state;
            var live = states.Where(pair => pair.Value.IsLive).ToList();
            Assert.Distinct(live.Select(pair => pair.Value.Value));
            Assert.All(live.SelectMany(pair => pair.Value.Targets), target =>
                Assert.True(states[target].IsLive, $"{target} is referred to and not live, seed {seed}")
            );
        }
        return states;
    }

    async Task<List<(string, Guid)>> PairsAsync(string sql)
    {
        await using var command = database.Source.CreateCommand(sql);
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        var pairs = new List<(string, Guid)>();
        while (await row.ReadAsync(Cancelled))
            pairs.Add((row.GetString(0), row.GetGuid(1)));
        return pairs;
    }
}
