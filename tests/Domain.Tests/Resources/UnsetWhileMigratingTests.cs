using System.Text.Json;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>References whose targets are deleted while a migration moves and adds references of their type.</summary>
public class UnsetWhileMigratingTests
{
    const int Seen = 1;
    const int Watched = 2;
    const int Default = 3;

    const string TwoRules = """
        {"name":"book",
         "schema":{"type":"object","properties":{"isbn":{"type":"string"},"author":{"type":"string"},"pages":{}}},
         "references":{"/metadata/author":{"type":"page"}},"unique":{"isbn":{"members":["/metadata/isbn"]}}}
        """;

    static readonly Guid Id = Guid.CreateVersion7();
    static readonly Guid Target = Guid.Parse("0190163d-8694-739b-aea5-966c26f8ad90");
    static readonly Guid Other = Guid.Parse("0190163d-8694-739b-aea5-966c26f8ad95");
    static readonly Guid Change = Guid.CreateVersion7();

    static readonly TypeEvent[] Checked =
    [
        TypeStory.InForce(Define("seen"), ("/metadata/seen", Seen)),
        new TypeChangeProposed(
            "book",
            Change,
            ProposalKind.Change,
            Story.Text(Define("watched", "main")),
            new() { ["/metadata/watched"] = Watched, ["/metadata/main"] = Default },
            Migration
                .Read(
                    JsonElement.Parse(
                        $$"""
                        [{"op":"move","from":"/metadata/seen","path":"/metadata/watched"},
                         {"op":"default","path":"/metadata/main","value":"{{Other}}"}]
                        """
                    ),
                    null,
                    []
                )!
                .Text
        ),
    ];

    static readonly TypeEvent[] Begun = [.. Checked, new TypeMigrationBegun(Change)];
    static readonly TypeEvent[] Closing = [.. Begun, new TypeMigrationClosing(Change)];

    static string Define(params string[] members)
    {
        string Each(string value) =>
            string.Join(',', members.Select(member => $"\"{value.Replace("*", member, StringComparison.Ordinal)}"));
        return $$"""
            {"name":"book","schema":{"type":"object","additionalProperties":false,"properties":{ {{Each("*\":{}")}} } },
             "references":{ {{Each("/metadata/*\":{\"type\":\"page\",\"onDelete\":\"unset\"}")}} } }
            """;
    }

    static Resource Old => TypeStory.Stored($$"""{"seen":["{{Target}}","{{Other}}"]}""") with { TypeVersion = 1 };

    static Decision<ResourceEvent> Unset(TypeEvent[] phase, Resource state, params (int, Guid)[] references) =>
        ResourceRules.Unset(
            Id,
            state,
            [.. references],
            new(7, Story.By(Story.Bob), Story.At(8)),
            TypeStory.Rules(phase)
        );

    static (int, Guid)[] Ended(Decision<ResourceEvent> decision) =>
        [.. decision.Guards!.References.Where(one => !one.Takes).Select(one => (one.Field, one.Target)).Order()];

    [Fact]
    public void Resource_keeps_its_form_until_the_migration_begins()
    {
        var decision = Unset(Checked, Old, (Seen, Target), (Watched, Target));

        var changed = Assert.IsType<ResourceMetadataChanged>(Assert.Single(decision.Events));
        Assert.Equal(Story.Text($$"""{"seen":["{{Other}}"]}"""), changed.Metadata);
        Assert.Equal(1, changed.TypeVersion);
        Assert.Equal([(Seen, Target), (Watched, Target)], Ended(decision));
    }

    [Fact]
    public void Reference_that_the_migration_would_put_in_again_holds_its_target()
    {
        var refused = Unset(Checked, Old, (Seen, Other), (Watched, Other), (Default, Other));

        Assert.Equal(Change, refused.Rejection!.Change);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Resource_of_the_old_form_is_migrated_with_it(bool closing)
    {
        var decision = Unset(closing ? Closing : Begun, Old, (Seen, Target), (Watched, Target));

        var changed = Assert.IsType<ResourceMetadataChanged>(Assert.Single(decision.Events));
        Assert.Equal(Story.Text($$"""{"watched":["{{Other}}"],"main":"{{Other}}"}"""), changed.Metadata);
        Assert.Equal(3, changed.TypeVersion);
        Assert.Equal([(Seen, Target), (Seen, Other), (Watched, Target)], Ended(decision));
    }

    [Fact]
    public void Member_that_the_migration_puts_in_is_taken_out()
    {
        var decision = Unset(Begun, Old, (Seen, Other), (Watched, Other), (Default, Other));

        var changed = Assert.IsType<ResourceMetadataChanged>(Assert.Single(decision.Events));
        Assert.Equal(Story.Text($$"""{"watched":["{{Target}}"]}"""), changed.Metadata);
    }

    [Fact]
    public void Value_that_does_not_convert_keeps_nothing_that_a_deletion_gives_back()
    {
        TypeEvent[] events =
        [
            TypeStory.InForce(TwoRules, ("isbn", 1), ("/metadata/author", 2)),
            new TypeChangeProposed(
                "book",
                Change,
                ProposalKind.Change,
                Story.Text(TwoRules),
                new() { ["isbn"] = 1, ["/metadata/author"] = 2 },
                Migration
                    .Read(
                        JsonElement.Parse("""[{"op":"convert","path":"/metadata/pages","to":"integer"}]"""),
                        null,
                        []
                    )!
                    .Text
            ),
        ];
        var rules = TypeStory.Rules(events);
        var state = TypeStory.Stored($$"""{"isbn":"1","author":"{{Target}}","pages":"abc"}""") with { TypeVersion = 1 };

        Assert.Contains((2, Target), rules.ReferencesOf(state));
        var decision = ResourceRules.Decide(
            Id,
            state,
            new DeleteResource(Scope.All, Scope.All),
            new(7, Story.By(Story.Bob), Story.At(8)),
            rules
        );

        Assert.IsType<ResourceDeleted>(Assert.Single(decision.Events));
        Assert.Equal([(1, false)], decision.Guards!.Claims.Select(claim => (claim.Rule, claim.Takes)));
        Assert.Equal([(2, Target)], Ended(decision));
    }

    [Fact]
    public void Resource_of_the_new_form_stays_in_it()
    {
        var state = TypeStory.Stored($$"""{"watched":["{{Target}}"],"main":"{{Other}}"}""") with { TypeVersion = 3 };

        var decision = Unset(Begun, state, (Watched, Target));

        var changed = Assert.IsType<ResourceMetadataChanged>(Assert.Single(decision.Events));
        Assert.Equal(Story.Text($$"""{"watched":[],"main":"{{Other}}"}"""), changed.Metadata);
        Assert.Equal([(Watched, Target)], Ended(decision));
    }
}
