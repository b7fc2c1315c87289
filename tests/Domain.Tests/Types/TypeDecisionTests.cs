using System.Text.Json;
using Resources.Grains;
using static Resources.Domain.Tests.TypeStory;

namespace Resources.Domain.Tests;

/// <summary>Given events of a type, when a command, then events or a refusal.</summary>
public class TypeDecisionTests
{
    static readonly Guid Change = TypeChange.IdOf("book", Story.By(Story.Bob));

    static TypeChangeProposed Proposed(string definition = Book, string kind = ProposalKind.Declaration) =>
        new(
            "book",
            Change,
            kind,
            Story.Text(definition),
            Fields.ToDictionary(field => field.Item1, field => field.Item2)
        );

    static readonly TypeChangeProposed Ending = new("book", Change, ProposalKind.Deletion, null, []);

    [Fact]
    public void Declaration_is_proposed_first_as_free_resources_may_be_there()
    {
        var decision = When(new DeclareType("book", Story.Text(Book)));
        decision.Is(Proposed());
        Assert.Equal(2, decision.Guards!.Claims.Count(claim => claim.Takes && claim.Scope == TypeNames.Scope));
    }

    [Fact]
    public void Equal_definition_changes_nothing() =>
        When(new ReplaceType(Story.Text(Book)), InForce(Book, Fields)).IsNothing();

    [Fact]
    public void Note_comes_into_force_at_once()
    {
        var noted = With("{\"name\":\"book\",", "{\"name\":\"book\",\"title\":\"Book\",");
        When(new ReplaceType(Story.Text(noted)), InForce(Book, Fields))
            .Is(InForce(noted, Fields) with { Change = Change });
        When(new PatchType(Story.Text("""{"title":"Book"}""")), InForce(Book, Fields))
            .Is(InForce(noted, Fields) with { Change = Change });
    }

    [Fact]
    public void Narrower_definition_is_proposed()
    {
        var narrower = With("\"minimum\":0", "\"minimum\":1");
        When(new ReplaceType(Story.Text(narrower)), InForce(Book, Fields)).Is(Proposed(narrower, ProposalKind.Change));
    }

    [Fact]
    public void Rule_that_compares_otherwise_gets_a_number_of_its_own()
    {
        var strict = With(",\"ignoreCase\":true", "");
        var decision = When(new ReplaceType(Story.Text(strict)), InForce(Book, Fields));
        Assert.Equal(5, ((TypeChangeProposed)decision.Events[0]).Fields["title"]);
        // The number of a proposal that was given up is not given again.
        var again = When(
            new ReplaceType(Story.Text(strict)),
            InForce(Book, Fields),
            (TypeEvent)decision.Events[0],
            new TypeChangeAbandoned(Change, AbandonReason.Withdrawn, 0, 0, [])
        );
        Assert.Equal(6, ((TypeChangeProposed)again.Events[0]).Fields["title"]);
    }

    [Fact]
    public void Second_change_waits_for_the_first() =>
        When(new ReplaceType(Story.Text(Book)), InForce(Book, Fields), Proposed(kind: ProposalKind.Change))
            .IsRefused(Refusal.TypeChangePending);

    [Fact]
    public void Change_is_completed_or_given_up_once()
    {
        When(new CompleteTypeChange(Change), Proposed()).Is(InForce(Book, Fields) with { Change = Change });
        When(new CompleteTypeChange(Guid.AllBitsSet), Proposed()).IsNothing();
        When(new AbandonTypeChange(Change, AbandonReason.BreaksData, 2, 1, []), Proposed())
            .Is(new TypeChangeAbandoned(Change, AbandonReason.BreaksData, 2, 1, []));
        When(
                new CompleteTypeChange(Change),
                Proposed(),
                new TypeChangeAbandoned(Change, AbandonReason.Withdrawn, 0, 0, [])
            )
            .IsNothing();
        When(new WithdrawTypeChange(), Proposed())
            .Is(new TypeChangeAbandoned(Change, AbandonReason.Withdrawn, 0, 0, []));
        When(new WithdrawTypeChange(), InForce()).IsRefused(Refusal.NoTypeChange);
    }

    [Fact]
    public void Completed_change_says_how_much_was_looked_at()
    {
        var decision = When(new CompleteTypeChange(Change, 41), Proposed());
        Assert.Equal(41, After(Proposed(), (TypeChanged)decision.Events[0]).State!.Outcome!.Checked);
    }

    [Fact]
    public void Examples_of_what_was_found_are_not_part_of_the_state()
    {
        var offender = Guid.CreateVersion7();
        var (state, _) = After(
            Proposed(),
            new TypeChangeAbandoned(Change, AbandonReason.BreaksData, 2, 1, [new(offender, 1, [])])
        );
        Assert.Equal(1, state!.Outcome!.Offending);
        Assert.DoesNotContain(
            $"{offender}",
            JsonSerializer.Serialize(state, EventKinds.Json),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData(TypeState.MaxTypes - 1, false, null)]
    [InlineData(TypeState.MaxTypes, false, Refusal.TooManyTypes)]
    [InlineData(0, true, Refusal.ClusterMixed)]
    public void Declaration_needs_room_and_a_cluster_that_knows_types(long declared, bool isMixed, Refusal? refusal)
    {
        var context = new TypeContext(0, Story.By(Story.Bob), Story.At(1), _ => true, declared, isMixed);
        var decision = TypeState.Decide(null, new DeclareType("book", Story.Text(Book)), context);
        Assert.Equal(refusal, decision.Rejection?.Kind);
    }

    [Theory]
    [InlineData("C", false, null)]
    [InlineData("und-x-icu", true, null)]
    [InlineData("und-x-icu", false, "/collation COLLATION_NOT_AVAILABLE")]
    public void Collation_has_to_be_one_that_the_server_has(string collation, bool hasUnicode, string? faults)
    {
        var text = Story.Text(With("\"name\":\"book\",", $"\"name\":\"book\",\"collation\":\"{collation}\","));
        var context = new TypeContext(0, Story.By(Story.Bob), Story.At(1), _ => true, HasUnicode: hasUnicode);
        var decision = TypeState.Decide(null, new DeclareType("book", text), context);
        Assert.Equal(faults, decision.Rejection is { Faults: { } found } ? TestJson.Summary(found) : null);
    }

    /// <summary>A database may have been moved to a server without ICU.</summary>
    [Fact]
    public void Collation_that_the_server_lost_blocks_no_other_change()
    {
        var text = Story.Text(With("\"name\":\"book\",", "\"name\":\"book\",\"collation\":\"und-x-icu\","));
        var faults = new List<Fault>();
        var inForce = TypeDefinition.Stored(text);
        Assert.True(TypeChange.Check(inForce, "book", inForce, _ => true, hasUnicode: false, faults));
        Assert.Empty(faults);
    }

    [Fact]
    public void Given_up_declaration_gives_its_names_back()
    {
        var decision = When(new WithdrawTypeChange(), Proposed());
        Assert.Equal([false, false], decision.Guards!.Claims.Select(claim => claim.Takes));
    }

    [Fact]
    public void Deletion_is_proposed_and_frees_the_name()
    {
        When(new DeleteType(), InForce()).Is(Ending);
        When(new CompleteTypeChange(Change), InForce(), Ending).Is(new TypeDeleted(Change));
        When(new DeclareType("book", Story.Text(Book)), InForce(), Ending, new TypeDeleted(Change)).Is(Proposed());
    }

    [Theory]
    [InlineData("replace")]
    [InlineData("patch")]
    [InlineData("delete")]
    public void Free_name_is_not_found(string what) =>
        When(
                what switch
                {
                    "replace" => new ReplaceType(Story.Text(Book)),
                    "patch" => new PatchType(JsonText.Empty),
                    _ => new DeleteType(),
                }
            )
            .IsRefused(Refusal.TypeNotFound);

    [Fact]
    public void Declared_name_exists_already() =>
        When(new DeclareType("book", Story.Text(Book)), InForce()).IsRefused(Refusal.AlreadyExists);

    [Fact]
    public void Stale_version_is_refused() =>
        When(new ReplaceType(Story.Text(Book)), Story.By(Story.Bob, Story.IfMatch(7)), InForce())
            .IsRefused(Refusal.VersionMismatch);

    [Fact]
    public void Type_that_nobody_declared_cannot_be_referred_to()
    {
        var decision = When(new DeclareType("book", Story.Text(With("\"type\":\"author\"", "\"type\":\"writer\""))));
        Assert.Equal("/references/~1metadata~1author/type UNKNOWN_TYPE", TestJson.Summary(decision.Rejection!.Faults!));
    }

    [Fact]
    public void Name_cannot_change()
    {
        var decision = When(new ReplaceType(Story.Text(With("\"name\":\"book\"", "\"name\":\"tome\""))), InForce());
        Assert.Equal("/name NAME_IS_FIXED", TestJson.Summary(decision.Rejection!.Faults!));
    }

    [Fact]
    public void Key_that_was_used_for_another_type_makes_another_change() =>
        Assert.NotEqual(TypeChange.IdOf("book", Story.By(Story.Bob)), TypeChange.IdOf("film", Story.By(Story.Bob)));

    static readonly JsonText Operations = Story.Text("""{"operations":[{"op":"remove","path":"/metadata/price"}]}""");

    static readonly TypeChangeProposed Migrating = Proposed(kind: ProposalKind.Change) with { Migration = Operations };

    [Fact]
    public void Migration_is_proposed_and_is_no_part_of_the_definition()
    {
        var sent = With(
            "{\"name\":\"book\",",
            "{\"name\":\"book\",\"migration\":[{\"op\":\"remove\",\"path\":\"/metadata/price\"}],"
        );
        var intent = Story.By(Story.Bob) with { Permissions = ["resource:update"] };
        var decision = When(new ReplaceType(Story.Text(sent)), intent, InForce(Book, Fields));
        // The rule about what is removed compares other values afterwards.
        var fields = Fields.ToDictionary(field => field.Item1, field => field.Item2 is 2 ? 5 : field.Item2);
        decision.Is(Migrating with { Fields = fields });
        When(
                new PatchType(Story.Text("""{"migration":[{"op":"remove","path":"/metadata/price"}]}""")),
                intent,
                InForce(Book, Fields)
            )
            .Is(Migrating with { Fields = fields });
        When(new PatchType(Story.Text("""{"migration":[]}""")), InForce(Book, Fields)).IsNothing();
    }

    public static TheoryData<string, string?, string[]> Permitted =>
        new()
        {
            { Removal, "update", [] },
            { Removal, "update", ["resource/book:update:own", "resource:update:own", "resource/film:update"] },
            { Removal, null, ["resource/book:update"] },
            { Removal, null, ["resource:update"] },
            { Mapped("draft", "published"), "publish", ["resource:update"] },
            { Mapped("draft", "published"), "publish", ["resource:update", "resource/book:publish:own"] },
            { Mapped("draft", "published"), null, ["resource:update", "resource/book:publish"] },
            { Mapped("draft", "published"), "update", ["resource/book:publish"] },
            // No transition asks for anything here.
            { Mapped("published", "draft"), null, ["resource:update"] },
            // Neither is a transition; both together are.
            { Mapped("draft", "between", "between", "published"), "publish", ["resource:update"] },
            { Mapped("draft", "published", "published", "draft"), null, ["resource:update"] },
        };

    const string Removal = """{"op":"remove","path":"/metadata/price"}""";

    static string Mapped(params string[] statuses) =>
        string.Join(
            ',',
            statuses
                .Chunk(2)
                .Select(one => $$$"""{"op":"map","path":"/status","values":{"{{{one[0]}}}":"{{{one[1]}}}"}}""")
        );

    [Theory, MemberData(nameof(Permitted))]
    public void Migration_needs_the_permissions_of_what_it_does_to_every_resource(
        string operations,
        string? lacking,
        string[] permissions
    )
    {
        var asking = With("\"to\":\"published\"}", "\"to\":\"published\",\"permission\":\"publish\"}");
        var decision = When(
            new PatchType(Story.Text($$"""{"migration":[{{operations}}]}""")),
            Story.By(Story.Bob) with
            {
                Permissions = permissions,
            },
            InForce(asking, Fields)
        );
        Assert.Equal(
            lacking is null ? null : (Refusal.Forbidden, $"The caller lacks the permission resource/book:{lacking}."),
            decision.Rejection is { } refused ? (refused.Kind, refused.Detail) : default((Refusal, string)?)
        );
    }

    [Fact]
    public void Migration_begins_closes_and_ends_once()
    {
        TypeEvent[] proposed = [InForce(Book, Fields), Migrating];
        TypeEvent[] begun = [.. proposed, new TypeMigrationBegun(Change)];
        TypeEvent[] closing = [.. begun, new TypeMigrationClosing(Change)];
        When(new BeginTypeMigration(Change), proposed).Is(new TypeMigrationBegun(Change));
        When(new BeginTypeMigration(Change), begun).IsNothing();
        When(new BeginTypeMigration(Guid.AllBitsSet), proposed).IsNothing();
        When(new CompleteTypeChange(Change), proposed).IsNothing();
        When(new CompleteTypeChange(Change), begun).IsNothing();
        When(new CloseTypeMigration(null), proposed).IsRefused(Refusal.NoTypeChange);
        When(new CloseTypeMigration(null), begun).Is(new TypeMigrationClosing(Change));
        When(new CloseTypeMigration(Change), begun).Is(new TypeMigrationClosing(Change));
        When(new CloseTypeMigration(Guid.AllBitsSet), begun).IsNothing();
        When(new CloseTypeMigration(null), closing).IsNothing();
        When(new CompleteTypeChange(Change), closing).Is(InForce(Book, Fields) with { Change = Change });
    }

    [Fact]
    public void Migration_that_has_begun_cannot_be_given_up()
    {
        TypeEvent[] begun = [InForce(Book, Fields), Migrating, new TypeMigrationBegun(Change)];
        When(new WithdrawTypeChange(), begun).IsRefused(Refusal.TypeChangePending);
        When(new AbandonTypeChange(Change, AbandonReason.BreaksData, 2, 1, []), begun).IsNothing();
        When(new ReplaceType(Story.Text(Book)), begun).IsRefused(Refusal.TypeChangePending);
    }

    [Fact]
    public void Type_remembers_its_newest_migrations()
    {
        var events = new List<TypeEvent> { InForce(Book, Fields) };
        for (var n = 0; n < PastMigrations.Max + 1; n++)
            events.AddRange(
                Migrating,
                new TypeMigrationBegun(Change),
                new TypeMigrationClosing(Change),
                InForce(Book, Fields)
            );
        var past = After([.. events]).State!.Migrations;
        Assert.Null(past.Since(null));
        Assert.Null(past.Since(2));
        Assert.Equal(PastMigrations.Max, past.Since(3)!.Count());
        Assert.Equal(PastMigrations.Max - 1, past.Since(7)!.Count());
        Assert.Empty(past.Since(events.Count)!);
        // What was written while the name was free needs none of those before.
        var ended = After([.. events, new TypeDeleted(Change)]).State!.Migrations;
        Assert.Empty(ended.Since(null)!);
        // And nobody is sent what a type had that is no more.
        Assert.Empty(ended.Newest);
        Assert.Null(ended.Since(7));
    }

    [Fact]
    public void Type_remembers_so_many_bytes_of_migrations()
    {
        const int most = PastMigrations.MaxBytes / Migration.MaxBytes;
        var text = Story.Text($$"""{"operations":["{{new string('x', Migration.MaxBytes - 19)}}"]}""");
        Assert.Equal(Migration.MaxBytes, text.Utf8.Length);
        var past = PastMigrations.None;
        for (var n = 1; n <= most + 2; n++)
            past = past.With(new(n, text));
        Assert.Equal((most, 2), (past.Newest.Length, past.Forgotten));
        Assert.Null(past.Since(1));
        Assert.Equal(most, past.Since(2)!.Count());
    }
}
