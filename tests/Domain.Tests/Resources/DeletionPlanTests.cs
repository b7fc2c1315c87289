using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>What happens to others when a resource is deleted to which they refer.</summary>
public class DeletionPlanTests
{
    const int Restrict = 1;
    const int Unset = 2;
    const int Cascade = 3;
    const int Proposed = 4;

    const string References = """
        "/metadata/held":{"type":"page"},"/metadata/seen":{"type":"page","onDelete":"unset"},"/metadata/part":{"type":"page","onDelete":"cascade"}
        """;

    static readonly Dictionary<string, int> Fields = new()
    {
        ["/metadata/held"] = Restrict,
        ["/metadata/seen"] = Unset,
        ["/metadata/part"] = Cascade,
    };

    static readonly TypeRules Pages = Rules(new TypeChanged("page", Guid.Empty, Define(References), Fields));

    static JsonText Define(string references) =>
        Story.Text(
            """
            {"name":"page","schema":{"type":"object","properties":{"held":{"type":"string"},"seen":{},"part":{"type":"string"},"other":{"type":"string"}}},
             "references":{
            """
                + references
                + "}}"
        );

    static TypeRules Rules(params TypeEvent[] events)
    {
        var (state, version) = TypeStory.After(events);
        return TypeRules.Of("page", version, version, state, null);
    }

    static readonly Guid[] Ids = [.. Enumerable.Range(0, 2_000).Select(n => new Guid(n, 0, 0, new byte[8]))];

    static readonly Guid Target = Ids[0];

    static DeletionPlan Plan(Scope? deletes = null, Scope? updates = null) =>
        new(Target, new(deletes ?? Scope.All, updates ?? Scope.All), "alice");

    static StoredReference From(int source, int field, int target = 0, string owner = "alice") =>
        new(Ids[source], field, Ids[target], Pages, owner, Story.At(1));

    [Fact]
    public void Level_goes_by_its_cascades_only()
    {
        var plan = Plan();
        Assert.Equal([Ids[1]], plan.Add([From(1, Cascade), From(2, Unset), From(1, Unset)]));
        Assert.Equal([Ids[3]], plan.Add([From(3, Cascade, 1), From(2, Unset, 1)]));
        Assert.Empty(plan.Add([]));

        Assert.Empty(plan.Holding);
        Assert.Equal([Ids[2], Ids[3], Ids[1], Target], plan.Members);
        Assert.Equal([false, true, true, true], plan.Members.Select(plan.Deletes));
    }

    [Fact]
    public void Restriction_of_what_goes_anyway_holds_nothing()
    {
        var plan = Plan();
        plan.Add([From(1, Restrict), From(2, Cascade)]);
        Assert.Equal([Ids[1]], plan.Holding.Select(one => one.Id));
        plan.Add([From(1, Cascade, 2)]);
        Assert.Empty(plan.Holding);
        plan.Add([From(3, Restrict, 1), From(4, Unset, 1)]);
        Assert.Equal([Ids[3]], plan.Holding.Select(one => one.Id));
    }

    [Fact]
    public void What_is_deleted_comes_behind_what_refers_to_it()
    {
        var plan = Plan();
        // The second refers to the target and to the first, which is nearer in no order of levels.
        plan.Add([From(1, Cascade), From(2, Cascade)]);
        plan.Add([From(2, Cascade, 1)]);
        Assert.Equal([Ids[2], Ids[1], Target], plan.Members);
    }

    [Fact]
    public void Cycle_ends()
    {
        var plan = Plan();
        Assert.Equal([Ids[1]], plan.Add([From(1, Cascade)]));
        Assert.Equal([Ids[2]], plan.Add([From(2, Cascade, 1)]));
        Assert.Empty(plan.Add([From(0, Cascade, 2), From(1, Cascade, 2)]));
        Assert.Equal([Ids[2], Ids[1], Target], plan.Members);
    }

    [Fact]
    public void What_the_caller_may_not_do_to_others_holds_the_target()
    {
        var own = Scope.Of([Permission.Parse("resource:delete:own")!]);

        var deletes = Plan(own);
        Assert.Equal(
            [Ids[1]],
            deletes.Add([From(1, Cascade), From(2, Cascade, owner: "bob"), From(3, Unset, owner: "bob")])
        );
        Assert.Equal([Ids[2]], deletes.Holding.Select(one => one.Id));
        var updates = Plan(updates: own);
        Assert.Equal([Ids[1]], updates.Add([From(1, Cascade, owner: "bob"), From(2, Unset, owner: "bob")]));
        Assert.Equal([Ids[2]], updates.Holding.Select(one => one.Id));
        var nothing = new DeletionPlan(Target, new(), "alice");
        Assert.Empty(nothing.Add([From(1, Cascade), From(2, Unset)]));
        Assert.Equal([Ids[1], Ids[2]], nothing.Holding.Select(one => one.Id));
    }

    [Fact]
    public void What_only_a_proposal_holds_is_held_by_its_change()
    {
        var change = Guid.CreateVersion7();
        var rules = Rules(
            new TypeChanged("page", Guid.Empty, Define(References), Fields),
            new TypeChangeProposed(
                "page",
                change,
                ProposalKind.Change,
                Define($$"""{{References}},"/metadata/other":{"type":"page"}"""),
                new(Fields) { ["/metadata/other"] = Proposed }
            )
        );
        var plan = Plan();
        StoredReference[] found = [From(1, Proposed), From(2, Proposed), From(2, Restrict)];

        plan.Add([.. found.Select(one => one with { Rules = rules })]);

        Assert.Equal([new(Ids[1], change), new(Ids[2], null)], plan.Holding);
    }

    [Theory]
    [InlineData("cascade")]
    [InlineData("unset")]
    public void What_is_only_proposed_deletes_and_changes_nothing(string policy)
    {
        var change = Guid.CreateVersion7();
        var rules = Rules(
            new TypeChanged("page", Guid.Empty, Define(References), Fields),
            new TypeChangeProposed(
                "page",
                change,
                ProposalKind.Change,
                Define($$"""{{References}},"/metadata/other":{"type":"page","onDelete":"{{policy}}"}"""),
                new(Fields) { ["/metadata/other"] = Proposed }
            )
        );
        var plan = Plan();
        StoredReference[] found =
        [
            From(1, Proposed),
            From(2, Proposed),
            From(2, Restrict),
            From(3, Proposed),
            From(3, Cascade),
            From(4, Proposed),
            From(4, Unset),
        ];

        Assert.Equal([Ids[3]], plan.Add([.. found.Select(one => one with { Rules = rules })]));

        Assert.Equal([new(Ids[1], change), new(Ids[2], null)], plan.Holding);
        var page = Page("""{"seen":"<0>","other":"<0>"}""") with { TypeVersion = 1 };
        var held = plan.Decide(Ids[4], page, new(1, Story.By("alice"), Story.At(2)));
        Assert.Equal(change, held.Rejection!.Change);
    }

    [Fact]
    public void Thousand_go_and_a_thousand_and_one_do_not()
    {
        var plan = Plan();
        plan.Add([.. Enumerable.Range(1, 499).Select(n => From(n, Cascade))]);
        plan.Add([.. Enumerable.Range(500, 500).Select(n => From(n, n % 2 is 0 ? Cascade : Unset, 7))]);
        Assert.False(plan.IsTooLarge);
        Assert.Equal(1_000, plan.Members.Count);
        plan.Add([From(1_000, Unset, 9)]);
        Assert.True(plan.IsTooLarge);
        var wide = Plan();
        wide.Add([.. Enumerable.Range(1, 1_000).Select(n => From(n, Unset))]);
        Assert.True(wide.IsTooLarge);
    }

    [Fact]
    public void Rules_that_change_between_levels_are_noticed()
    {
        var plan = Plan();
        plan.Add([From(1, Cascade)]);
        plan.Add([From(2, Cascade, 1)]);
        Assert.False(plan.IsStale);
        plan.Add([From(3, Cascade, 2) with { Rules = Pages with { Position = 2 } }]);
        Assert.True(plan.IsStale);
    }

    [Fact]
    public void Chain_of_a_thousand_is_ordered()
    {
        var plan = Plan();
        for (var n = 1; n < 1_000; n++)
            plan.Add([From(n, Cascade, n - 1)]);
        Assert.Equal([.. Ids[..1_000].Reverse()], plan.Members);
    }

    [Theory]
    [InlineData("""{"seen":"<0>"}""", "{}")]
    [InlineData("""{"seen":["<0>"]}""", """{"seen":[]}""")]
    [InlineData("""{"seen":["<1>","<0>","<2>","<0>"],"price":1.50}""", """{"seen":["<1>","<2>"],"price":1.50}""")]
    [InlineData("""{"seen":"<0>","held":"<1>","text":"<0>"}""", """{"held":"<1>","text":"<0>"}""")]
    public void Unset_removes_the_member_or_the_item(string metadata, string left)
    {
        var plan = Plan();
        plan.Add([From(1, Unset)]);
        var page = Page(metadata);

        var decision = plan.Decide(Ids[1], page, new(1, Story.By("alice"), Story.At(2)));

        var changed = Assert.IsType<ResourceMetadataChanged>(Assert.Single(decision.Events));
        Assert.Equal(Page(left).Metadata, changed.Metadata);
    }

    [Fact]
    public void Member_that_is_not_what_it_was_is_left_alone()
    {
        var plan = Plan();
        plan.Add([From(1, Unset), From(2, Cascade)]);
        var context = new DecisionContext(1, Story.By("alice"), Story.At(2));

        var part = Page("""{"part":"<0>"}""");

        Assert.Empty(plan.Decide(Ids[1], Page("{}"), context).Events);
        Assert.Empty(plan.Decide(Ids[2], part with { DeletedAt = Story.At(1) }, context).Events);
        Assert.Empty(plan.Decide(Ids[2], Page("""{"part":"<1>","held":"<0>"}"""), context).Events);
        Assert.IsType<ResourceDeleted>(Assert.Single(plan.Decide(Ids[2], part, context).Events));
    }

    /// <summary>A page, with the ids of resources in place of their numbers.</summary>
    static Resource Page(string metadata)
    {
        for (var n = 0; n < 3; n++)
            metadata = metadata.Replace($"<{n}>", $"{Ids[n]}", StringComparison.Ordinal);
        return TypeStory.Stored(metadata) with { Type = "page" };
    }
}
