using System.Text.Json;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Types on two nodes over one database: the log decides which definition is in force, whatever a node knows.</summary>
public sealed class TypeNodesTests(TwoClusters clusters) : TypeNodes(clusters)
{
    /// <summary><c>RESOURCES_WIDENINGS=1000</c> is the long form (bench/README.md).</summary>
    static readonly int Widenings = int.TryParse(
        Environment.GetEnvironmentVariable("RESOURCES_WIDENINGS"),
        out var widenings
    )
        ? widenings
        : 20;

    [Fact]
    public async Task Type_that_was_widened_at_one_node_is_used_at_the_other_at_once()
    {
        await DeclareAsync(Numbers);
        for (var n = 0; n < Widenings; n++)
        {
            var schema =
                $$$"""{"type":"object","required":["a"],"properties":{"a":{"type":"number"},"b":{"maximum":{{{n}}} } }}""";
            var changed = await SendAsync(One, new ReplaceType(Definition(schema)));
            if (changed.Value!.Proposal is { } proposal)
                Assert.Null((await EndAsync(proposal.Change)).Reason);
            var used = await CreateAsync(Other, $$"""{"a":1,"b":{{n}}}""");
            Assert.Null(used.Rejection);
            // The next round must not find a resource that contradicts it.
            var over = await CreateAsync(Other, $$"""{"a":1,"b":{{n + 1}}}""");
            Assert.Equal(Refusal.Invalid, over.Rejection?.Kind);
        }
    }

    [Fact]
    public async Task Check_goes_on_where_another_node_has_died()
    {
        await DeclareAsync(Both);
        var old = await CreateAsync(One, """{"a":"x"}""");
        await using var dying = await HoldAsync();
        var proposed = await SendAsync(One, new ReplaceType(Definition(Numbers)));
        var change = proposed.Value!.Proposal!.Change;
        // It has looked at everything, and died before it said so.
        await Database.ExecuteAsync(
            "insert into type_changes (change, type, after_time, after_id, checked, offending) values ($1, $2, '2000-01-01', $3, 41, 0)",
            change,
            Stream,
            Guid.Empty
        );
        Assert.Equal(Refusal.Invalid, (await CreateAsync(Other, """{"a":"y"}""")).Rejection?.Kind);
        await dying.CloseAsync();
        Assert.Equal(41, (await EndAsync(change)).Checked);
        Assert.Equal(TypeChangeKind.None, await KindAsync(Numbers));
        Assert.Null(old.Rejection);
    }

    [Fact]
    public async Task Who_waits_for_a_change_that_is_withdrawn_is_told_so()
    {
        await DeclareAsync(Both);
        await using var busy = await HoldAsync();
        var waiting = One.Service<TypeDoor>()
            .ExecuteAsync(
                Administrator,
                type,
                new ReplaceType(Definition(Numbers)),
                new(null, null, Conditions.None, null),
                TimeSpan.FromSeconds(30),
                TestContext.Current.CancellationToken
            );
        await Eventually.HoldsAsync(
            async () => (await SendAsync(One, new WithdrawTypeChange())).Rejection is null,
            TimeSpan.FromSeconds(10),
            () => "the change is withdrawn"
        );
        Assert.Equal(Refusal.TypeChangeAbandoned, (await waiting).Rejection?.Kind);
        Assert.Null((await CreateAsync(Other, """{"a":"x"}""")).Rejection);
    }

    [Fact]
    public async Task Abandoned_change_leaves_nothing_behind()
    {
        await CreateAsync(One, """{"a":"x"}""");
        await CreateAsync(One, """{"a":"x"}""");
        var definition = Text(
            $$$$"""{"name":"{{{{type}}}}","schema":{{{{Texts}}}},"unique":{"a":{"members":["/metadata/a"]}}}"""
        );
        var reply = await SendAsync(One, new DeclareType(type, definition));
        var outcome = await EndAsync(reply.Value!.Proposal!.Change);
        Assert.Equal((AbandonReason.BreaksData, 2L, 1L), (outcome.Reason, outcome.Checked, outcome.Offending));
        await Eventually.HoldsAsync(
            async () =>
                await CountAsync("select count(*) from unique_claims where scope = $1", Stream) is 0
                && await CountAsync("select count(*) from type_changes where change = $1", outcome.Change) is 0,
            TimeSpan.FromMinutes(1),
            () => "the values of the proposal are gone, and what was noted of it"
        );
    }

    [Fact]
    public async Task No_event_contradicts_the_definition_that_is_in_force_at_its_position()
    {
        await DeclareAsync(Both);
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(8));
        var writers = Enumerable
            .Range(0, 8)
            .Select(n => WriteAsync(n % 2 is 0 ? One : Other, n, enough.Token))
            .ToArray();
        var accepted = 0;
        for (var n = 0; !enough.IsCancellationRequested; n++)
        {
            var schema = n % 2 is 0 ? Numbers : Texts;
            var reply = await SendAsync(n % 3 is 0 ? One : Other, new ReplaceType(Definition(schema)));
            if (reply.Value?.Proposal is { } proposal && (await EndAsync(proposal.Change)).Reason is null)
                accepted++;
        }
        await Task.WhenAll(writers);
        Assert.True(accepted > 0, "no change was accepted");
        await CheckLogAsync();
    }

    async Task WriteAsync(InProcessSilo node, int seed, CancellationToken enough)
    {
        var random = new Random(seed);
        while (!enough.IsCancellationRequested)
        {
            var id = Guid.CreateVersion7();
            var made = await node.Resource(id)
                .Execute(
                    new CreateResource(type, "n", null, Text(random.Next(2) is 0 ? """{"a":1}""" : """{"a":"x"}""")),
                    Intend()
                );
            if (made.Rejection is null)
                await node.Resource(id).Execute(new DeleteResource(), Intend());
        }
    }

    /// <summary>Folds the log with code of its own.</summary>
    async Task CheckLogAsync()
    {
        await using var events = Database.Source.CreateCommand(
            """
            select e.type, e.data::text from mt_events e join mt_events f on f.stream_id = e.stream_id and f.version = 1
            where e.stream_id = $1 or f.data ->> 'type' = $2 order by e.seq_id
            """
        );
        events.Parameters.Add(new() { Value = Stream });
        events.Parameters.Add(new() { Value = type });
        await using var reader = await events.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var (inForce, proposed, created) = (Array.Empty<string>(), Array.Empty<string>(), 0);
        static string[] Kinds(JsonElement data) =>
            data.GetProperty("definition")
                .GetProperty("schema")
                .GetProperty("properties")
                .GetProperty("a")
                .GetProperty("type")
                is { ValueKind: JsonValueKind.Array } list
                ? [.. list.EnumerateArray().Select(kind => kind.GetString()!)]
                :
                [
                    data.GetProperty("definition")
                        .GetProperty("schema")
                        .GetProperty("properties")
                        .GetProperty("a")
                        .GetProperty("type")
                        .GetString()!,
                ];
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            var data = JsonElement.Parse(reader.GetString(1));
            switch (reader.GetString(0))
            {
                case "type.change_proposed":
                    proposed = Kinds(data);
                    break;
                case "type.changed":
                    (inForce, proposed) = (Kinds(data), []);
                    break;
                case "type.change_abandoned":
                    proposed = [];
                    break;
                case "resource.created":
                    created++;
                    var kind =
                        data.GetProperty("metadata").GetProperty("a").ValueKind is JsonValueKind.Number
                            ? "number"
                            : "string";
                    Assert.True(
                        inForce is [] || inForce.Contains(kind),
                        $"{kind} while {string.Join(',', inForce)} is in force"
                    );
                    Assert.True(
                        proposed is [] || proposed.Contains(kind),
                        $"{kind} while {string.Join(',', proposed)} is proposed"
                    );
                    break;
            }
        }
        Assert.True(created > 20, $"only {created} resources were created");
    }

    async Task<TypeChangeKind> KindAsync(string schema)
    {
        var rules = await Other.Service<TypeBook>().RefreshAsync(type);
        return TypeChange.KindOf(rules.InForce!.Definition, TypeDefinition.Stored(Definition(schema)));
    }
}
