using Resources.Grains;
using static Resources.Domain.Tests.TypeStory;

namespace Resources.Domain.Tests;

/// <summary>What a type holds its resources to.</summary>
public class TypeRulesTests
{
    static readonly Guid Id = Guid.Parse("0190163d-8694-739b-aea5-966c26f8ad90");
    static readonly Guid Author = Guid.Parse("0190163d-8694-739b-aea5-966c26f8ad91");
    static readonly TypeRules Books = Rules(InForce(Book, Fields));

    static string Refusal(TypeRules rules, Resource? before, Resource after) =>
        rules.Refuse(Id, before, after) is { } refusal
            ? $"{refusal.Kind} {TestJson.Summary(refusal.Faults ?? [])}"
            : "";

    public static TheoryData<string, string, string> Documents =>
        new()
        {
            { """{}""", "draft", "" },
            { """{"isbn":"1"}""", "draft", "" },
            { """{"isbn":1}""", "draft", "Invalid /metadata/isbn TYPE" },
            { """{"isbn":"123","price":-1}""", "draft", "Invalid /metadata/price MINIMUM" },
            { """{"isbn":"123","colour":"red"}""", "draft", "Invalid /metadata/colour UNKNOWN_MEMBER" },
            { """{"isbn":"123","author":"Goethe"}""", "draft", "Invalid /metadata/author NOT_AN_ID" },
            {
                """{"isbn":"123","parts":[{"of":"0190163d-8694-739b-aea5-966c26f8ad90"},{"of":"x"}]}""",
                "draft",
                "Invalid /metadata/parts/1/of NOT_AN_ID"
            },
            {
                """{"isbn":"123","author":"0190163d-8694-739b-aea5-966c26f8ad90"}""",
                "draft",
                "Invalid /metadata/author REFERENCE_NOT_FOUND"
            },
            { """{"isbn":"123","price":1}""", "published", "TransitionNotAllowed /status TRANSITION_NOT_ALLOWED" },
            { """{"isbn":"123"}""", "banana", "Invalid /status UNKNOWN_STATE" },
        };

    [Theory, MemberData(nameof(Documents))]
    public void New_resource_is_refused_by_what_it_violates(string metadata, string status, string refusal) =>
        Assert.Equal(refusal, Refusal(Books, null, Stored(metadata, status)));

    [Theory]
    [InlineData("draft", "published", """{"isbn":"123","price":1}""", "")]
    [InlineData("draft", "published", """{"isbn":"123"}""", "Invalid /metadata/price REQUIRED")]
    [InlineData("draft", "published", """{"price":1}""", "Invalid /metadata/isbn REQUIRED")]
    [InlineData("draft", "retired", """{"isbn":"123"}""", "TransitionNotAllowed /status TRANSITION_NOT_ALLOWED")]
    [InlineData("published", "draft", """{"isbn":"123"}""", "TransitionNotAllowed /status TRANSITION_NOT_ALLOWED")]
    [InlineData("retired", "retired", """{"isbn":"1234"}""", "")]
    public void Status_moves_along_the_lifecycle(string from, string to, string metadata, string refusal) =>
        Assert.Equal(refusal, Refusal(Books, Stored("""{"isbn":"123","price":1}""", from), Stored(metadata, to)));

    [Fact]
    public void Refused_transition_says_what_is_allowed() =>
        Assert.Equal(
            ["published"],
            Books.Refuse(Id, Stored("""{"isbn":"123"}"""), Stored("""{"isbn":"123"}""", "retired"))!.Allowed!
        );

    [Fact]
    public void Restored_resource_has_to_fit_the_type_of_today()
    {
        var deleted = Stored("""{"isbn":1}""") with { DeletedAt = Story.At(2) };
        Assert.Equal("RestoreInvalid /metadata/isbn TYPE", Refusal(Books, deleted, deleted with { DeletedAt = null }));
    }

    [Fact]
    public void Deletion_is_never_refused_by_the_schema() =>
        Assert.Equal(
            "",
            Refusal(Books, Stored("""{"isbn":1}"""), Stored("""{"isbn":1}""") with { DeletedAt = Story.At(2) })
        );

    [Fact]
    public void Defaults_are_put_in_by_creates_and_replacements_only()
    {
        var create = (CreateResource)
            Books.Completed(new CreateResource("book", "Faust", null, JsonText.Empty), null, out _);
        Assert.Equal(("draft", """{"currency":"EUR"}"""), (create.Status, create.Metadata.ToString()));
        var replace = (ReplaceResource)
            Books.Completed(new ReplaceResource(null, "Faust", null, JsonText.Empty), Stored("{}", "published"), out _);
        Assert.Equal(("published", """{"currency":"EUR"}"""), (replace.Status, replace.Metadata.ToString()));
        var patch = Story.MergePatch("{}");
        Assert.Same(patch, Books.Completed(patch, Stored("{}"), out _));
    }

    [Fact]
    public void Write_takes_and_gives_back_what_differs()
    {
        var guards = Books.GuardsOf(
            Stored("""{"isbn":"123","price":1}"""),
            Stored($$"""{"isbn":"124","price":1.0,"author":"{{Author}}"}"""),
            unreferenced: false
        )!;
        Assert.Equal([(1, false), (1, true)], guards.Claims.Select(claim => (claim.Rule, claim.Takes)));
        Assert.Equal(
            [(3, Author, "author", true, "/metadata/author")],
            guards.References.Select(one => (one.Field, one.Target, one.Type, one.Takes, one.Pointer))
        );
        Assert.Equal(10, guards.Fence!.Value.Position);
    }

    [Fact]
    public void Deletion_gives_everything_back_and_restore_takes_it_again()
    {
        var live = Stored($$"""{"isbn":"123","price":1,"author":"{{Author}}"}""");
        var deleted = live with { DeletedAt = Story.At(2) };
        var given = Books.GuardsOf(live, deleted, unreferenced: true)!;
        Assert.Equal([false, false], given.Claims.Select(claim => claim.Takes));
        Assert.Equal([false], given.References.Select(one => one.Takes));
        var taken = Books.GuardsOf(deleted, live, unreferenced: false)!;
        Assert.Equal([true, true], taken.Claims.Select(claim => claim.Takes));
        Assert.Equal([true], taken.References.Select(one => one.Takes));
    }

    [Fact]
    public void Proposal_holds_writes_beside_what_is_in_force()
    {
        var proposed = With("\"members\":[\"/metadata/isbn\"]", "\"members\":[\"/metadata/currency\"]")
            .Replace("\"minimum\":0", "\"minimum\":5", StringComparison.Ordinal);
        var change = Guid.Parse("0190163d-8694-739b-aea5-966c26f8ad95");
        var rules = Rules(
            InForce(Book, Fields),
            new TypeChangeProposed(
                "book",
                change,
                ProposalKind.Change,
                Story.Text(proposed),
                new()
                {
                    ["isbn"] = 5,
                    ["title"] = 2,
                    ["/metadata/author"] = 3,
                    ["/metadata/parts/*/of"] = 4,
                }
            )
        );
        var refusal = rules.Refuse(Id, null, Stored("""{"isbn":"123","price":1}"""))!;
        Assert.Equal(("/metadata/price MINIMUM", (Guid?)change), (TestJson.Summary(refusal.Faults!), refusal.Change));
        // What did not change is entered again under the number that is new.
        var same = Stored("""{"isbn":"123","price":9,"currency":"EUR"}""");
        var guards = rules.GuardsOf(same, same with { UpdatedBy = "bob" }, unreferenced: false)!;
        Assert.Equal([(5, true, change)], guards.Claims.Select(claim => (claim.Rule, claim.Takes, claim.Change)));
    }

    [Fact]
    public void Hundred_references_are_accepted_and_one_more_is_not()
    {
        static string Parts(int count)
        {
            var items = Enumerable.Range(0, count).Select(n => $"{{\"of\":\"0190163d-8694-739b-aea5-{n:x12}\"}}");
            return $"{{\"isbn\":\"123\",\"parts\":[{string.Join(',', items)}]}}";
        }
        Assert.Equal("", Refusal(Books, null, Stored(Parts(100))));
        Assert.Equal("Invalid /metadata/parts/100/of TOO_MANY_REFERENCES", Refusal(Books, null, Stored(Parts(101))));
    }

    [Fact]
    public void Free_name_holds_nothing_but_its_fence()
    {
        var free = TypeRules.Free("book");
        Assert.Null(free.Refuse(Id, null, Stored("""{"any":"thing"}""", "banana")));
        var guards = free.GuardsOf(null, Stored("{}"), unreferenced: false)!;
        Assert.Equal(new Fence(TypeState.StreamOf("book"), 0), guards.Fence);
        Assert.Equal((0, 0), (guards.Claims.Length, guards.References.Length));
    }

    [Fact]
    public void Type_that_is_being_deleted_takes_no_new_resources()
    {
        var rules = Rules(InForce(Book, Fields), new TypeChangeProposed("book", Id, ProposalKind.Deletion, null, []));
        Assert.Equal("TypeInUse ", Refusal(rules, null, Stored("""{"isbn":"123"}""")));
        Assert.Equal("", Refusal(rules, Stored("""{"isbn":"123"}"""), Stored("""{"isbn":"124"}""")));
    }
}
