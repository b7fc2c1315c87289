using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Types and unique values, looked up at a node that has not heard of the last change.</summary>
public sealed class TypeLookupTests(TwoClusters clusters) : IClassFixture<TwoClusters>
{
    readonly string type = $"t{Guid.NewGuid():n}";
    readonly CancellationToken ct = TestContext.Current.CancellationToken;

    InProcessSilo One => clusters.One;

    InProcessSilo Other => clusters.Other;

    Caller Admin =>
        new(Guid.CreateVersion7(), 1, ["admin"], null, One.Service<AccessBook>())
        {
            Kind = CredentialKind.Token,
            Expires = DateTimeOffset.MaxValue,
        };

    static JsonText Text(string json) => JsonText.From(JsonElement.Parse(json));

    static Intent Intend(HeldValue? has = null) =>
        new(Guid.CreateVersion7(), "alice", null, null, Conditions.None with { Has = has });

    JsonText Definition(string name, string member) =>
        Text(
            $$$$"""
            {"name":"{{{{name}}}}","schema":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}},
             "unique":{"key":{"members":["/metadata/{{{{member}}}}"]}}}
            """
        );

    /// <summary>Of two grains one may not have heard of the end of the change before. The one that ended it has.</summary>
    async Task SendAsync(string name, TypeCommand command)
    {
        Task<Reply<TypeState>> ExecuteAsync(InProcessSilo node) =>
            node.Grain<ITypeGrain>(TypeState.StreamOf(name)).Execute(command, Intend());
        var reply = await ExecuteAsync(One);
        if (reply.Rejection?.Kind is Refusal.TypeChangePending or Refusal.TypeNotFound)
            reply = await ExecuteAsync(Other);
        Assert.Null(reply.Rejection);
        if (reply.Value!.Proposal is not { } proposal)
            return;
        TypeOutcome? outcome = null;
        await Eventually.HoldsAsync(
            async () =>
                (outcome = (await One.Service<TypeBook>().RefreshAsync(name)).State?.Outcome)?.Change
                == proposal.Change,
            TimeSpan.FromSeconds(30),
            () => "the change is decided"
        );
        Assert.Null(outcome!.Reason);
    }

    Task<KeyedResources?> FindAsync(string value) => Other.Service<TypeKeys>().FindAsync(Admin, type, "key", value, ct);

    [Fact]
    public async Task Value_is_looked_up_by_the_rule_of_today()
    {
        await SendAsync(type, new DeclareType(type, Definition(type, "a")));
        var id = Guid.CreateVersion7();
        var made = await One.Resource(id)
            .Execute(new CreateResource(type, "n", null, Text("""{"a":"x","b":"y"}""")), Intend());
        Assert.Null(made.Rejection);
        foreach (var (member, value) in Enumerable.Repeat(new[] { ("b", "y"), ("a", "x") }, 5).SelectMany(each => each))
        {
            await SendAsync(type, new ReplaceType(Definition(type, member)));
            var found = await FindAsync(value);
            Assert.Equal([$"/metadata/{member}"], found!.Rule.Members);
            Assert.Equal(id, found.First);
            Assert.True(found.Fits(made.Value!));
        }
    }

    [Fact]
    public async Task Command_for_a_value_is_refused_by_what_has_another_one()
    {
        await SendAsync(type, new DeclareType(type, Definition(type, "a")));
        var id = Guid.CreateVersion7();
        await One.Resource(id).Execute(new CreateResource(type, "n", null, Text("""{"a":"x"}""")), Intend());
        var sought = (await FindAsync("x"))!.Value;
        async Task<Refusal?> PatchAsync(string metadata, HeldValue? has = null) =>
            (
                await One.Resource(id)
                    .Execute(
                        new PatchResource(PatchFormat.Merge, Text($$"""{"metadata":{{metadata}}}""").Utf8.ToArray()),
                        Intend(has)
                    )
            )
                .Rejection
                ?.Kind;
        Assert.Null(await PatchAsync("""{"b":"1"}""", sought));
        Assert.Null(await PatchAsync("""{"a":"z"}"""));
        Assert.Equal(Refusal.NotFound, await PatchAsync("""{"b":"2"}""", sought));
        Assert.Null(await PatchAsync("""{"a":"x"}"""));
        Assert.Null(await PatchAsync("""{"b":"3"}""", sought));
    }

    [Fact]
    public async Task List_costs_no_query_for_each_type_and_is_of_the_moment()
    {
        var names = Enumerable.Range(0, 12).Select(n => $"{type}{(char)('a' + n)}x").ToArray();
        foreach (var name in names)
            await SendAsync(name, new DeclareType(name, Definition(name, "a")));
        var queries = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = queries.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using var asked = new Activity("list").SetIdFormat(ActivityIdFormat.W3C).Start();
        var list = await Other.Service<TypeDoor>().ListAsync(Admin, ct);
        asked.Stop();
        Assert.Empty(names.Except(list.Value!.Select(rules => rules.Name)));
        // It may read again those that have changed since the node looked last.
        await Eventually.HoldsAsync(
            () => Task.FromResult(Other.Service<TypeFollower>().Position >= list.Position),
            TimeSpan.FromSeconds(30),
            () => "the node has heard of all"
        );
        queries.Clear();
        using var again = new Activity("list").SetIdFormat(ActivityIdFormat.W3C).Start();
        await Other.Service<TypeDoor>().ListAsync(Admin, ct);
        again.Stop();
        Assert.InRange(queries.Count(query => query.TraceId == again.TraceId), 0, 3);
    }
}
