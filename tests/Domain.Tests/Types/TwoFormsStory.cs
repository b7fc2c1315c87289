using System.Text.Json;
using Resources.Grains;
using static Resources.Domain.Tests.TypeStory;

namespace Resources.Domain.Tests;

/// <summary>A migration of books: what comes of it step by step, and a book in each form.</summary>
static class TwoFormsStory
{
    public const string Old = """
        {"name":"book","schema":{"type":"object","additionalProperties":false,"required":["price"],
         "properties":{"price":{"type":"string"},"isbn":{"type":"string"}}},
         "lifecycle":{"initial":"live","states":{"live":{},"dead":{}},"transitions":[{"from":"live","to":"dead"}]},
         "unique":{"isbn":{"members":["/metadata/isbn"]},"title":{"members":["/name"]}}}
        """;

    public const string New = """
        {"name":"book","schema":{"type":"object","additionalProperties":false,"required":["unitPrice","currency"],
         "properties":{"unitPrice":{"type":"number"},"currency":{"type":"string"},"code":{"type":"string"}}},
         "lifecycle":{"initial":"published","states":{"published":{},"gone":{}},"transitions":[{"from":"published","to":"gone"}]},
         "unique":{"isbn":{"members":["/metadata/code"]},"title":{"members":["/name"]}}}
        """;

    public const string Operations = """
        [{"op":"move","from":"/metadata/price","path":"/metadata/unitPrice"},
         {"op":"convert","path":"/metadata/unitPrice","to":"number"},
         {"op":"default","path":"/metadata/currency","value":"EUR"},
         {"op":"move","from":"/metadata/isbn","path":"/metadata/code"},
         {"op":"map","path":"/status","values":{"live":"published","dead":"gone"}}]
        """;

    public static readonly Guid Id = Guid.Parse("0190163d-8694-739b-aea5-966c26f8ad90");
    public static readonly Guid Change = Guid.Parse("0190163d-8694-739b-aea5-966c26f8ad95");

    public static readonly TypeChangeProposed Proposed = new(
        "book",
        Change,
        ProposalKind.Change,
        Story.Text(New),
        new() { ["isbn"] = 3, ["title"] = 2 },
        Migration.Read(JsonElement.Parse(Operations), null, [])!.Text
    );

    public static readonly TypeEvent[] Checked = [InForce(Old, ("isbn", 1), ("title", 2)), Proposed];
    public static readonly TypeEvent[] Begun = [.. Checked, new TypeMigrationBegun(Change)];
    public static readonly TypeEvent[] Closing = [.. Begun, new TypeMigrationClosing(Change)];
    public static readonly TypeEvent[] Over =
    [
        .. Closing,
        new TypeChanged("book", Change, Story.Text(New), Proposed.Fields),
    ];

    public static readonly Resource OfOld = Stored("""{"price":"9"}""", "live") with { TypeVersion = 1 };

    public static readonly Resource OfNew = Stored("""{"unitPrice":9,"currency":"EUR"}""", "published") with
    {
        TypeVersion = 3,
    };

    public static Decision<ResourceEvent> Decide(TypeEvent[] phase, Resource? state, ResourceCommand command) =>
        ResourceRules.Decide(Id, state, command, new(7, Story.By(Story.Bob), Story.At(8)), Rules(phase));

    public static void Is(string expected, TypeEvent[] phase, Resource? state, ResourceCommand command) =>
        Assert.Equal(expected, Story.Told(Decide(phase, state, command)));

    public static CreateResource Create(string metadata, string? status = null) =>
        new("book", "Faust", status, Story.Text(metadata));

    public static ReplaceResource Replace(string metadata, string? status = null) =>
        new(null, "Faust", status, Story.Text(metadata));

    public static MigrateResource Migrate(Resource seen, Guid? change = null) => new(change ?? Change, seen, 7);
}
