using System.Text.Json;
using Npgsql;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>Words for tests of types on two nodes over one database. Each test has a type of its own.</summary>
public abstract class TypeNodes(TwoClusters clusters) : IClassFixture<TwoClusters>
{
    protected const string Numbers = """{"type":"object","required":["a"],"properties":{"a":{"type":"number"}}}""";
    protected const string Texts = """{"type":"object","required":["a"],"properties":{"a":{"type":"string"}}}""";
    protected const string Both =
        """{"type":"object","required":["a"],"properties":{"a":{"type":["number","string"]}}}""";

    private protected readonly string type = $"t{Guid.NewGuid():n}";

    private protected InProcessSilo One => clusters.One;

    private protected InProcessSilo Other => clusters.Other;

    protected Guid Stream => TypeState.StreamOf(type);

    protected static Intent Intend() =>
        new(Guid.CreateVersion7(), "alice", null, null, Conditions.None, Permissions: ["resource:update"]);

    protected JsonText Definition(string schema) => Text($$"""{"name":"{{type}}","schema":{{schema}}}""");

    protected static JsonText Text(string json) => JsonText.From(JsonElement.Parse(json));

    /// <summary>Of two grains one may not have heard of the end of the change before. The one that ended it has.</summary>
    private protected async Task<Reply<TypeState>> SendAsync(InProcessSilo node, TypeCommand command)
    {
        var reply = await node.Grain<ITypeGrain>(Stream).Execute(command, Intend());
        return reply.Rejection?.Kind is Refusal.TypeChangePending or Refusal.TypeNotFound
            ? await (node == One ? Other : One).Grain<ITypeGrain>(Stream).Execute(command, Intend())
            : reply;
    }

    /// <summary>By the log: the node that decides is one or the other, and the grain of the other one hears nothing of it.</summary>
    protected async Task<TypeOutcome> EndAsync(Guid change)
    {
        TypeOutcome? outcome = null;
        await Eventually.HoldsAsync(
            async () => (outcome = (await One.Service<TypeBook>().RefreshAsync(type)).State?.Outcome)?.Change == change,
            TimeSpan.FromSeconds(30),
            () => "the change is decided"
        );
        return outcome!;
    }

    protected async Task DeclareAsync(string schema)
    {
        var reply = await SendAsync(One, new DeclareType(type, Definition(schema)));
        Assert.Null((await EndAsync(reply.Value!.Proposal!.Change)).Reason);
    }

    private protected Task<Reply<Resource>> CreateAsync(InProcessSilo node, string metadata) =>
        node.Resource(Guid.CreateVersion7()).Execute(new CreateResource(type, "n", null, Text(metadata)), Intend());

    protected LogDatabase Database => clusters.Database;

    private protected Caller Administrator =>
        new(Guid.CreateVersion7(), 1, ["admin"], null, One.Service<AccessBook>())
        {
            Kind = CredentialKind.Token,
            Expires = DateTimeOffset.MaxValue,
        };

    protected async Task<long> CountAsync(string sql, params object[] arguments) =>
        (long)(await Database.ExecuteAsync(sql, arguments))!;

    /// <summary>A session that has the lock of whoever checks the type.</summary>
    protected async Task<NpgsqlConnection> HoldAsync()
    {
        var settings = new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Pooling = false };
        var session = new NpgsqlConnection(settings.ConnectionString);
        await session.OpenAsync(TestContext.Current.CancellationToken);
        await using var work = new NpgsqlCommand("select pg_advisory_lock(type_lock($1))", session)
        {
            Parameters = { new() { Value = Stream } },
        };
        await work.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return session;
    }
}
