using System.Text.Json;
using Resources.Grains;
using static Resources.Domain.Tests.TwoFormsStory;
using static Resources.Domain.Tests.TypeStory;

namespace Resources.Domain.Tests;

/// <summary>Given where a migration of a type has come to, when a resource of it is written, then events or a refusal.</summary>
public class TwoFormsTests
{
    const string Migrated =
        """migrated{"status":"published","metadata":{"currency":"EUR","unitPrice":9},"changed":["/status","/metadata/price","/metadata/currency","/metadata/unitPrice"],"typeVersion":3}""";

    [Fact]
    public void While_it_is_checked_writes_have_the_old_form_and_can_be_migrated()
    {
        Is(
            """created{"type":"book","name":"Faust","status":"live","metadata":{"price":"9"},"owner":"bob","typeVersion":1}""",
            Checked,
            null,
            Create("""{"price":"9"}""")
        );
        Is("Invalid /metadata/unitPrice NOT_CONVERTIBLE", Checked, null, Create("""{"price":"x"}"""));
        Assert.Equal(Change, Decide(Checked, null, Create("""{"price":"x"}""")).Rejection!.Change);
        Is(
            "Invalid /metadata/currency UNKNOWN_MEMBER; /metadata/unitPrice UNKNOWN_MEMBER; /metadata/price REQUIRED",
            Checked,
            null,
            Create("""{"unitPrice":9,"currency":"EUR"}""")
        );
        Is("", Checked, OfOld, Migrate(OfOld));
    }

    [Fact]
    public void Create_in_either_form_is_stored_as_it_is()
    {
        Is(
            """created{"type":"book","name":"Faust","status":"live","metadata":{"price":"9"},"owner":"bob","typeVersion":1}""",
            Begun,
            null,
            Create("""{"price":"9"}""")
        );
        Is(
            """created{"type":"book","name":"Faust","status":"published","metadata":{"currency":"USD","unitPrice":9},"owner":"bob","typeVersion":3}""",
            Begun,
            null,
            Create("""{"unitPrice":9,"currency":"USD"}""")
        );
        Is("Invalid /metadata/price TYPE", Begun, null, Create("""{"price":9}"""));
        Is("Invalid /metadata/unitPrice NOT_CONVERTIBLE", Begun, null, Create("""{"price":"x"}"""));
    }

    [Fact]
    public void Replacement_in_the_new_form_spares_the_migration()
    {
        Is(
            """replaced{"name":"Faust","status":"published","metadata":{"currency":"EUR","unitPrice":9},"changed":["/status","/metadata/price","/metadata/currency","/metadata/unitPrice"],"typeVersion":3}""",
            Begun,
            OfOld,
            Replace("""{"unitPrice":9,"currency":"EUR"}""")
        );
        Is(
            """replaced{"name":"Faust","status":"gone","metadata":{"currency":"EUR","unitPrice":9},"changed":["/status","/metadata/price","/metadata/currency","/metadata/unitPrice"],"typeVersion":3}""",
            Begun,
            OfOld,
            Replace("""{"unitPrice":9,"currency":"EUR"}""", "gone")
        );
    }

    [Fact]
    public void Replacement_in_the_old_form_does_not_bring_it_back()
    {
        Is(
            """replaced{"name":"Faust","status":"live","metadata":{"price":"8"},"changed":["/metadata/price"],"typeVersion":1}""",
            Begun,
            OfOld,
            Replace("""{"price":"8"}""")
        );
        Is(
            """replaced{"name":"Faust","status":"published","metadata":{"currency":"EUR","unitPrice":8},"changed":["/metadata/unitPrice"],"typeVersion":3}""",
            Begun,
            OfNew,
            Replace("""{"price":"8"}""")
        );
        Is(
            """replaced{"name":"Faust","status":"gone","metadata":{"currency":"EUR","unitPrice":8},"changed":["/status","/metadata/unitPrice"],"typeVersion":3}""",
            Begun,
            OfNew,
            Replace("""{"price":"8"}""", "dead")
        );
        Is("", Begun, OfOld, Replace("""{"price":"9"}"""));
        Is("", Begun, OfNew, Replace("""{"price":"9"}"""));
    }

    [Fact]
    public void Patch_applies_to_the_form_that_the_resource_has()
    {
        Is(
            """metadata_changed{"metadata":{"price":"8"},"changed":["/metadata/price"],"typeVersion":1}""",
            Begun,
            OfOld,
            Story.MergePatch("""{"metadata":{"price":"8"}}""")
        );
        Is(
            """metadata_changed{"metadata":{"currency":"EUR","unitPrice":8},"changed":["/metadata/unitPrice"],"typeVersion":3}""",
            Begun,
            OfNew,
            Story.MergePatch("""{"metadata":{"unitPrice":8}}""")
        );
        Is(
            """status_changed{"status":"dead","changed":["/status"],"typeVersion":1}""",
            Begun,
            OfOld,
            Story.MergePatch("""{"status":"dead"}""")
        );
        Is("Invalid /metadata/price UNKNOWN_MEMBER", Begun, OfNew, Story.MergePatch("""{"metadata":{"price":"8"}}"""));
        Is(
            "Invalid /metadata/unitPrice NOT_CONVERTIBLE",
            Begun,
            OfOld,
            Story.MergePatch("""{"metadata":{"price":"x"}}""")
        );
    }

    [Fact]
    public void Resource_is_migrated_once_while_it_lives()
    {
        Is(Migrated, Begun, OfOld, Migrate(OfOld));
        Is(Migrated, Closing, OfOld, Migrate(OfOld));
        Is("", Begun, OfNew, Migrate(OfNew));
        Is("", Begun, OfOld with { DeletedAt = Story.At(2) }, Migrate(OfOld));
        Is("", Begun, null, Migrate(OfOld));
        Is("", Begun, OfOld, Migrate(OfOld, Guid.AllBitsSet));
        Is("", Over, OfOld, Migrate(OfOld));
        var migrated = Resource.Evolve(
            OfOld,
            Story.Record(Decide(Begun, OfOld, Migrate(OfOld)).Events[0], 8, Story.Bob)
        );
        Assert.Equal(OfNew with { UpdatedAt = Story.At(8), UpdatedBy = Story.Bob }, migrated);
    }

    [Fact]
    public void While_it_closes_nothing_is_written_in_the_old_form()
    {
        const string faults =
            "Invalid /metadata/price UNKNOWN_MEMBER; /metadata/unitPrice REQUIRED; /metadata/currency REQUIRED";
        Is(faults, Closing, null, Create("""{"price":"9"}"""));
        Is(faults, Closing, OfOld, Replace("""{"price":"8"}"""));
        Is(faults, Closing, OfOld, Replace("""{"price":"9"}"""));
        Is(faults, Closing, OfNew, Replace("""{"price":"8"}"""));
        Is(
            "Invalid /metadata/price UNKNOWN_MEMBER",
            Closing,
            OfOld,
            Story.MergePatch("""{"metadata":{"price":"8"}}""")
        );
        Is(
            """changed{"status":"published","metadata":{"currency":"EUR","unitPrice":8},"changed":["/status","/metadata/price","/metadata/currency","/metadata/unitPrice"],"typeVersion":3}""",
            Closing,
            OfOld,
            Story.MergePatch("""{"metadata":{"unitPrice":8}}""")
        );
        Is(
            """changed{"status":"gone","metadata":{"currency":"EUR","unitPrice":9},"changed":["/status","/metadata/price","/metadata/currency","/metadata/unitPrice"],"typeVersion":3}""",
            Closing,
            OfOld,
            Story.MergePatch("""{"status":"gone"}""")
        );
        Is("""deleted{"typeVersion":3}""", Closing, OfOld, new DeleteResource());
    }

    [Fact]
    public void Restored_resource_is_migrated_through_what_it_has_missed()
    {
        var deleted = OfOld with { DeletedAt = Story.At(2) };
        const string restored =
            """restored{"status":"published","metadata":{"currency":"EUR","unitPrice":9},"changed":["/status","/metadata/price","/metadata/currency","/metadata/unitPrice"],"typeVersion":""";
        Is("""restored{"typeVersion":1}""", Checked, deleted, new RestoreResource());
        Is(restored + "3}", Begun, deleted, new RestoreResource());
        Is(restored + "3}", Closing, deleted, new RestoreResource());
        Is(restored + "5}", Over, deleted, new RestoreResource());
        Is(
            "RestoreInvalid /metadata/unitPrice NOT_CONVERTIBLE",
            Over,
            deleted with
            {
                Metadata = Story.Text("""{"price":"x"}"""),
            },
            new RestoreResource()
        );
        Is(
            "RestoreInvalid /metadata/colour UNKNOWN_MEMBER",
            Over,
            deleted with
            {
                Metadata = Story.Text("""{"price":"9","colour":"red"}"""),
            },
            new RestoreResource()
        );
        // It was of the new form when it was deleted.
        Is("""restored{"typeVersion":5}""", Over, OfNew with { DeletedAt = Story.At(2) }, new RestoreResource());
        var again = Migration.Read(
            JsonElement.Parse("""[{"op":"map","path":"/metadata/currency","values":{"EUR":"USD"}}]"""),
            null,
            []
        )!;
        TypeEvent[] twice =
        [
            .. Over,
            Proposed with
            {
                Migration = again.Text,
            },
            new TypeMigrationBegun(Change),
            new TypeMigrationClosing(Change),
            Over[^1],
        ];
        Assert.Contains("\"USD\"", Story.Told(Decide(twice, deleted, new RestoreResource())), StringComparison.Ordinal);
    }

    [Fact]
    public void Replacement_that_comes_with_a_restore_is_taken_in_either_form()
    {
        var old = OfOld with { DeletedAt = Story.At(2) };
        var now = OfNew with { DeletedAt = Story.At(2) };
        static RestoreResource As(string metadata) => new(Replace(metadata));
        const string inNew =
            """restored{"status":"published","metadata":{"currency":"EUR","unitPrice":8},"changed":["/status","/metadata/price","/metadata/currency","/metadata/unitPrice"],"typeVersion":""";
        Is(
            """restored{"metadata":{"price":"8"},"changed":["/metadata/price"],"typeVersion":1}""",
            Begun,
            old,
            As("""{"price":"8"}""")
        );
        Is(inNew + "3}", Begun, old, As("""{"unitPrice":8,"currency":"EUR"}"""));
        Is(
            """restored{"metadata":{"currency":"EUR","unitPrice":8},"changed":["/metadata/unitPrice"],"typeVersion":3}""",
            Begun,
            now,
            As("""{"price":"8"}""")
        );
        Is(
            "Invalid /metadata/price UNKNOWN_MEMBER; /metadata/unitPrice REQUIRED; /metadata/currency REQUIRED",
            Closing,
            old,
            As("""{"price":"8"}""")
        );
        // What cannot be migrated can be replaced.
        var lost = old with { Metadata = Story.Text("""{"price":"x"}""") };
        Is(inNew + "3}", Closing, lost, As("""{"unitPrice":8,"currency":"EUR"}"""));
        Is(inNew + "5}", Over, lost, As("""{"unitPrice":8,"currency":"EUR"}"""));
        Is("AlreadyExists", Begun, OfOld, As("""{"price":"8"}"""));
        Is("", Begun, OfOld, As("""{"price":"9"}"""));
        Is("", Begun, OfNew, As("""{"price":"9"}"""));
    }

    [Fact]
    public void Answer_that_nothing_changes_depends_on_the_rules()
    {
        foreach (
            var decision in new[]
            {
                Decide(Begun, OfOld, Migrate(OfOld, Guid.AllBitsSet)),
                Decide(Begun, OfNew, Migrate(OfNew)),
                Decide(Over, OfOld, Migrate(OfOld)),
                Decide(Begun, OfOld, Replace("""{"price":"9"}""")),
                Decide(Closing, OfOld, Story.MergePatch("""{"metadata":[]}""")),
            }
        )
        {
            Assert.Empty(decision.Events);
            Assert.NotNull(decision.Guards?.Fence);
        }
    }

    [Fact]
    public void Restored_resource_of_a_free_name_is_as_it_was()
    {
        var deleted = OfOld with { DeletedAt = Story.At(2) };
        Assert.Equal(
            "restored{}",
            Story.Told(
                ResourceRules.Decide(
                    Id,
                    deleted,
                    new RestoreResource(),
                    new(7, Story.By(Story.Bob), Story.At(8)),
                    TypeRules.Free("book")
                )
            )
        );
        Is("restored{}", [.. Over, new TypeDeleted(Change)], deleted, new RestoreResource());
    }

    [Fact]
    public void Old_values_are_given_back_where_new_ones_are_taken()
    {
        static string Told(Decision<ResourceEvent> decision) =>
            string.Join(
                ' ',
                decision.Guards!.Claims.Select(claim => $"{(claim.Takes ? '+' : '-')}{claim.Rule}").Order()
            );
        var old = OfOld with { Metadata = Story.Text("""{"price":"9","isbn":"1"}""") };
        var now = OfNew with { Metadata = Story.Text("""{"unitPrice":9,"currency":"EUR","code":"1"}""") };
        Assert.Equal("+1 +2 +3", Told(Decide(Checked, null, Create("""{"price":"9","isbn":"1"}"""))));
        Assert.Equal("+1 +2 +3", Told(Decide(Begun, null, Create("""{"price":"9","isbn":"1"}"""))));
        Assert.Equal("+2 +3", Told(Decide(Begun, null, Create("""{"unitPrice":9,"currency":"EUR","code":"1"}"""))));
        Assert.Equal("+3 -1", Told(Decide(Begun, old, Migrate(old))));
        Assert.Equal("+1 +3 -1 -3", Told(Decide(Begun, old, Story.MergePatch("""{"metadata":{"isbn":"2"}}"""))));
        Assert.Equal("+3 -3", Told(Decide(Begun, now, Story.MergePatch("""{"metadata":{"code":"2"}}"""))));
        Assert.Equal("-1 -2 -3", Told(Decide(Begun, old, new DeleteResource())));
        Assert.Equal("-2 -3", Told(Decide(Begun, now, new DeleteResource())));
    }

    [Fact]
    public void Version_of_the_type_that_is_sent_back_says_which_form_a_replacement_has()
    {
        const string levels =
            """{"name":"book","schema":{"type":"object","properties":{"level":{"enum":[1,2,3]},"code":{"type":"integer"}}}}""";
        TypeEvent[] begun =
        [
            InForce(levels),
            Proposed with
            {
                Definition = Story.Text(levels),
                Fields = [],
                Migration = Migration
                    .Read(
                        JsonElement.Parse("""[{"op":"map","path":"/metadata/level","values":{"1":2,"2":3}}]"""),
                        null,
                        []
                    )!
                    .Text,
            },
            new TypeMigrationBegun(Change),
        ];
        var now = Stored("""{"level":2}""", "active", "Werther") with { TypeVersion = 3 };
        var old = now with { TypeVersion = 1 };
        static ReplaceResource Sent(string metadata, long? version) =>
            Replace(metadata, "active") with
            {
                Kept = new(null, null, null, null, null, null, version),
            };
        static string Stays(int level, int version, string changed = "") =>
            $$$"""replaced{"name":"Faust","status":"active","metadata":{"level":{{{level}}}},"changed":["/name"{{{changed}}}],"typeVersion":{{{version}}}}""";
        Is(Stays(2, 3), begun, now, Sent("""{"level":2}""", 3));
        Is(Stays(2, 1), begun, old, Sent("""{"level":2}""", 1));
        Is(Stays(3, 1, ",\"/metadata/level\""), begun, old, Sent("""{"level":3}""", 1));
        Is("Invalid /typeVersion READ_ONLY", begun, now, Sent("""{"level":2}""", 1));
        Is(Stays(3, 3, ",\"/metadata/level\""), begun, now, Sent("""{"level":2}""", null));
    }

    [Fact]
    public void Document_that_both_definitions_take_is_new_unless_the_migration_would_change_it()
    {
        const string open = """
            {"name":"book","schema":{"type":"object","properties":{"price":{"type":"number"},"unitPrice":{"type":"number"}}}}
            """;
        TypeEvent[] begun =
        [
            InForce(open),
            Proposed with
            {
                Definition = Story.Text(open),
                Fields = [],
                Migration = Migration
                    .Read(
                        JsonElement.Parse("""[{"op":"move","from":"/metadata/price","path":"/metadata/unitPrice"}]"""),
                        null,
                        []
                    )!
                    .Text,
            },
            new TypeMigrationBegun(Change),
        ];
        Assert.Equal(3, Decide(begun, null, Create("""{"unitPrice":9}""")).Events[0].TypeVersion);
        Assert.Equal(3, Decide(begun, null, Create("{}")).Events[0].TypeVersion);
        Assert.Equal(1, Decide(begun, null, Create("""{"price":9}""")).Events[0].TypeVersion);
        Is(
            """replaced{"name":"Faust","status":"active","metadata":{"unitPrice":9},"changed":[],"typeVersion":3}""",
            begun,
            OfOld with
            {
                Status = "active",
                Metadata = Story.Text("""{"unitPrice":9}"""),
            },
            Replace("""{"unitPrice":9}""")
        );
        Is(
            """replaced{"name":"Faust","status":"active","metadata":{"unitPrice":8},"changed":["/metadata/unitPrice"],"typeVersion":3}""",
            begun,
            OfNew with
            {
                Status = "active",
                Metadata = Story.Text("""{"unitPrice":9}"""),
            },
            Replace("""{"price":8}""")
        );
    }
}
