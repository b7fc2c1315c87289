using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Words for tests of types.</summary>
static class TypeStory
{
    public const string Book = """
        {"name":"book","schema":{"type":"object","additionalProperties":false,"required":["isbn"],
         "properties":{"isbn":{"type":"string","minLength":3},"price":{"type":"number","minimum":0},"author":{"type":"string"},
          "tags":{"type":"array","items":{"type":"string"}},"parts":{"type":"array","items":{"type":"object","properties":{"of":{"type":"string"}}}},
          "currency":{"type":"string","default":"EUR"}}},
         "lifecycle":{"initial":"draft","states":{"draft":{"lenient":true},"published":{"require":["/metadata/price"]},"retired":{}},
          "transitions":[{"from":"draft","to":"published"},{"from":"published","to":"retired"}]},
         "references":{"/metadata/author":{"type":"author","inverse":"books"},"/metadata/parts/*/of":{"type":"book"}},
         "unique":{"isbn":{"members":["/metadata/isbn"]},"title":{"members":["/name","/metadata/price"],"ignoreCase":true}}}
        """;

    public static TypeDefinition Define(string json) => TypeDefinition.Stored(Story.Text(json));

    /// <summary>A definition of books with a part of its text replaced.</summary>
    public static string With(string part, string other)
    {
        Assert.Contains(part, Book, StringComparison.Ordinal);
        return Book.Replace(part, other, StringComparison.Ordinal);
    }

    /// <summary>What is wrong with a definition, as "pointer CODE", in order.</summary>
    public static string FaultsOf(string json)
    {
        var faults = new List<Fault>();
        var definition = TypeDefinition.Read(Story.Text(json), faults);
        Assert.Equal(faults is [], definition is not null);
        return TestJson.Summary(faults);
    }

    public static (TypeState? State, long Version) After(params TypeEvent[] events) =>
        Outcome.After<TypeState, TypeEvent>(events, TypeState.Evolve);

    public static Decision<TypeEvent> When(TypeCommand command, params TypeEvent[] given) =>
        When(command, Story.By(Story.Bob), given);

    public static Decision<TypeEvent> When(TypeCommand command, Intent intent, params TypeEvent[] given)
    {
        var (state, version) = After(given);
        return TypeState.Decide(state, command, new(version, intent, Story.At(version + 1), name => name is "author"));
    }

    /// <summary>The rules after events.</summary>
    public static TypeRules Rules(params TypeEvent[] events)
    {
        var (state, version) = After(events);
        return TypeRules.Of("book", version, 10 * version, state, null);
    }

    public static TypeChanged InForce(string definition = Book, params (string Rule, int Number)[] fields) =>
        new(
            "book",
            Guid.Empty,
            Story.Text(definition),
            fields.ToDictionary(field => field.Rule, field => field.Number)
        );

    public static readonly (string, int)[] Fields =
    [
        ("isbn", 1),
        ("title", 2),
        ("/metadata/author", 3),
        ("/metadata/parts/*/of", 4),
    ];

    public static Resource Stored(string metadata, string status = "draft", string name = "Faust") =>
        new("book", name, status, Story.Text(metadata), "alice", Story.At(1), "alice", Story.At(1), "alice", null);
}
