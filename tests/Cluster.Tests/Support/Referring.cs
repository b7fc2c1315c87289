using System.Text.Json;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>
/// Types whose resources refer to each other: by <c>held</c>, which restricts, by the list <c>seen</c>, which is unset, and
/// by <c>part</c>, which cascades. Each refers to all types by one of these.
/// </summary>
internal sealed class Referring(int count)
{
    public static readonly string[] Members = ["held", "seen", "part"];

    readonly string stem = $"t{Guid.NewGuid():n}";

    public string[] Types => [.. Enumerable.Range(0, count).Select(n => $"{stem}-{n}")];

    /// <summary>The type that resources of a type refer to by a member.</summary>
    public string TargetOf(string type, string member) =>
        Types[(Array.IndexOf(Types, type) + Array.IndexOf(Members, member)) % count];

    public async Task DeclareAsync(InProcessSilo node)
    {
        // Types that refer to each other are declared first, and refer afterwards.
        foreach (var type in Types)
            await ChangeAsync(node, type, new DeclareType(type, Definition(type, refers: false)));
        foreach (var type in Types)
            await ChangeAsync(node, type, new ReplaceType(Definition(type, refers: true)));
    }

    public JsonText Definition(string type, bool refers) =>
        Text(
            $$"""
            {"name":"{{type}}","names":{"plural":"{{type}}-all"},"schema":{"type":"object","properties":
             {"held":{"type":"string"},"seen":{"type":"array"},"part":{"type":"string"} } },"references":{
            """
                + (refers ? string.Join(',', Members.Select(member => Reference(type, member))) : "")
                + "}}"
        );

    string Reference(string type, string member)
    {
        var policy = member switch
        {
            "seen" => "unset",
            "part" => "cascade",
            _ => "restrict",
        };
        return $$"""
            "/metadata/{{member}}":{"type":"{{TargetOf(type, member)}}","onDelete":"{{policy}}"}
            """;
    }

    public static async Task ChangeAsync(InProcessSilo node, string type, TypeCommand command)
    {
        var grain = node.Grain<ITypeGrain>(TypeState.StreamOf(type));
        // A node of another cluster may have decided the change before, of which the grain has not heard.
        await InProcessSilo.DeactivateAsync(grain);
        var reply = await grain.Execute(command, Intend());
        Assert.True(reply.Rejection is null, $"{type}: {reply.Rejection}");
        if (reply.Value!.Proposal is not { } proposal)
            return;
        TypeOutcome? outcome = null;
        await Eventually.HoldsAsync(
            async () =>
                (outcome = (await node.Service<TypeBook>().RefreshAsync(type)).State!.Outcome)?.Change
                == proposal.Change,
            TimeSpan.FromSeconds(30),
            () => "the change is decided"
        );
        Assert.Null(outcome!.Reason);
    }

    public static Task<Reply<Resource>> PutAsync(
        InProcessSilo node,
        Guid id,
        string type,
        string? held = null,
        Guid[]? seen = null,
        Guid? part = null
    ) => node.Resource(id).Execute(new CreateResource(type, "n", null, Metadata(held, seen, part)), Intend());

    /// <summary>Metadata that refers to resources; what is null is left out.</summary>
    public static JsonText Metadata(string? held, Guid[]? seen, Guid? part)
    {
        var members = new Dictionary<string, object>();
        if (held is not null)
            members["held"] = held;
        if (seen is not null)
            members["seen"] = seen;
        if (part is not null)
            members["part"] = part;
        return JsonText.From(JsonSerializer.SerializeToElement(members));
    }

    public static Task<Reply<Resource>> DeleteAsync(InProcessSilo node, Guid id, Intent? intent = null) =>
        node.Resource(id).Execute(new DeleteResource(Scope.All, Scope.All), intent ?? Intend());

    public static Intent Intend() => new(Guid.CreateVersion7(), "alice", null, null, Conditions.None);

    public static JsonText Text(string json) => JsonText.From(JsonElement.Parse(json));
}
