using Resources.Grains;
using static Resources.Domain.Tests.Story;

namespace Resources.Domain.Tests;

/// <summary>A table: given events, when a command, then events or a rejection.</summary>
public class ResourceDecisionTests
{
    static readonly ResourceCommand Create = new CreateResource("book", "Faust", "active", JsonText.Empty);
    static readonly ResourceCommand Delete = new DeleteResource();
    static readonly ResourceCommand Restore = new RestoreResource();
    static readonly ResourceCommand Same = new ReplaceResource(
        null,
        "Faust",
        "active",
        Text("""{"tags":["a","b"],"price":9.5,"author":{"last":"Goethe","first":"\u004aohann"}}""")
    );
    static readonly ResourceCommand Other = new ReplaceResource("book", "Urfaust", "draft", JsonText.Empty);
    static readonly ResourceCommand OtherType = new ReplaceResource("film", "Faust", "active", JsonText.Empty);
    static readonly ResourceCommand Rename = MergePatch("""{"name":"Urfaust"}""");
    static readonly ResourceCommand Broken = MergePatch("{");

    /// <summary>given, when, under, then.</summary>
    public static TheoryData<string, ResourceEvent[], ResourceCommand, Conditions?, string> Life =>
        new()
        {
            // Before the first event there is only creation.
            {
                "create nothing yet",
                [],
                Create,
                null,
                """created{"type":"book","name":"Faust","status":"active","metadata":{},"owner":"bob"}"""
            },
            { "replace nothing", [], Other, null, "NotFound" },
            { "patch nothing", [], Rename, null, "NotFound" },
            { "a broken patch of nothing", [], Broken, null, "NotFound" },
            { "delete nothing", [], Delete, null, "NotFound" },
            { "restore nothing", [], Restore, null, "NotFound" },
            { "a condition on nothing", [], Rename, IfMatch(1), "NotFound" },
            { "create again", [Created], Create, null, "AlreadyExists" },
            { "create a deleted one again", [Created, Deleted], Create, null, "AlreadyExists" },
            {
                "replace",
                [Created],
                Other,
                null,
                """replaced{"name":"Urfaust","status":"draft","metadata":{},"changed":["/name","/status","/metadata/tags","/metadata/price","/metadata/author"]}"""
            },
            { "replace by the same in another spelling", [Created], Same, null, "" },
            { "replace with another type", [Created], OtherType, null, "Invalid /type TYPE_IS_FIXED" },
            { "delete", [Created], Delete, null, "deleted{}" },
            { "delete twice", [Created, Deleted], Delete, null, "" },
            { "restore", [Created, Deleted], Restore, null, "restored{}" },
            {
                "restore as another",
                [Created, Deleted],
                new RestoreResource((ReplaceResource)Other),
                null,
                """restored{"name":"Urfaust","status":"draft","metadata":{},"changed":["/name","/status","/metadata/tags","/metadata/price","/metadata/author"]}"""
            },
            { "restore as it was", [Created, Deleted], new RestoreResource((ReplaceResource)Same), null, "restored{}" },
            {
                "restore a live one as another",
                [Created],
                new RestoreResource((ReplaceResource)Other),
                null,
                "AlreadyExists"
            },
            { "restore a live one", [Created], Restore, null, "" },
            { "restore one that was restored", [Created, Deleted, Restored], Restore, null, "" },
            { "delete one that was restored", [Created, Deleted, Restored], Delete, null, "deleted{}" },
            // Deleted: everything but restore is refused, before its faults and conditions are looked at.
            { "replace a deleted one", [Created, Deleted], Other, null, "Deleted" },
            { "replace a deleted one with another type", [Created, Deleted], OtherType, null, "Deleted" },
            { "patch a deleted one", [Created, Deleted], Rename, null, "Deleted" },
            { "a broken patch of a deleted one", [Created, Deleted], Broken, null, "Deleted" },
            { "a stale condition on a deleted one", [Created, Deleted], Rename, IfMatch(1), "Deleted" },
        };

    public static TheoryData<string, ResourceEvent[], ResourceCommand, Conditions?, string> Preconditions =>
        new()
        {
            {
                "replace the version that was read",
                [Created],
                Other,
                IfMatch(1),
                """replaced{"name":"Urfaust","status":"draft","metadata":{},"changed":["/name","/status","/metadata/tags","/metadata/price","/metadata/author"]}"""
            },
            {
                "replace one of several versions",
                [Created],
                Other,
                IfMatch(7, 1),
                """replaced{"name":"Urfaust","status":"draft","metadata":{},"changed":["/name","/status","/metadata/tags","/metadata/price","/metadata/author"]}"""
            },
            {
                "replace any version",
                [Created],
                Other,
                new(true, [], false, null),
                """replaced{"name":"Urfaust","status":"draft","metadata":{},"changed":["/name","/status","/metadata/tags","/metadata/price","/metadata/author"]}"""
            },
            { "replace another version", [Created], Other, IfMatch(2), "VersionMismatch" },
            { "tags that name no version match nothing", [Created], Other, IfMatch(), "VersionMismatch" },
            { "a change that would change nothing is refused too", [Created], Same, IfMatch(2), "VersionMismatch" },
            { "unless it is at the version", [Created], Rename, IfNoneMatch(1), "VersionMismatch" },
            {
                "unless it is at another version",
                [Created],
                Rename,
                IfNoneMatch(2),
                """renamed{"name":"Urfaust","changed":["/name"]}"""
            },
            { "unless it exists", [Created], Rename, IfNoneMatch(), "VersionMismatch" },
            { "patch a stale version", [Created], Rename, IfMatch(2), "VersionMismatch" },
            {
                "operations on a stale version",
                [Created],
                JsonPatch("""[{"op":"remove","path":"/metadata/none"}]"""),
                IfMatch(2),
                "VersionMismatch"
            },
            { "delete a stale version", [Created], Delete, IfMatch(2), "VersionMismatch" },
            { "delete the version", [Created], Delete, IfMatch(1), "deleted{}" },
            { "restore a stale version", [Created, Deleted], Restore, IfMatch(1), "VersionMismatch" },
            { "restore the version", [Created, Deleted], Restore, IfMatch(2), "restored{}" },
            // Faults of the input come before the condition.
            { "a broken patch of a stale version", [Created], Broken, IfMatch(2), "Invalid  INVALID_JSON" },
            { "another type for a stale version", [Created], OtherType, IfMatch(2), "Invalid /type TYPE_IS_FIXED" },
            {
                "a forbidden path on a stale version",
                [Created],
                JsonPatch("""[{"op":"add","path":"/owner","value":"bob"}]"""),
                IfMatch(2),
                "Invalid /0 READ_ONLY"
            },
        };

    static ReplaceResource Kept(
        string? owner = null,
        long? version = null,
        int? createdAt = null,
        string? createdBy = null,
        int? updatedAt = null,
        string? updatedBy = null
    ) =>
        new(
            "book",
            "Urfaust",
            "active",
            JsonText.Empty,
            new(
                owner,
                version,
                createdAt is { } created ? At(created) : null,
                createdBy,
                updatedAt is { } updated ? At(updated) : null,
                updatedBy
            )
        );

    /// <summary>What the server keeps comes back from a client that has read version 2.</summary>
    public static TheoryData<string, ResourceEvent[], ResourceCommand, Conditions?, string> KeptMembers
    {
        get
        {
            ResourceEvent[] given = [Created, new ResourceRenamed("Faust II")];
            const string Done =
                """replaced{"name":"Urfaust","status":"active","metadata":{},"changed":["/name","/metadata/tags","/metadata/price","/metadata/author"]}""";
            return new()
            {
                { "all of them as they are", given, Kept(Alice, 2, 1, Alice, 2, Alice), null, Done },
                { "some of them", given, Kept(version: 2, updatedAt: 2), IfMatch(2), Done },
                {
                    "all of them altered",
                    given,
                    Kept(Bob, 3, 2, Bob, 1, Bob),
                    null,
                    "Invalid /owner READ_ONLY; /version READ_ONLY; /createdAt READ_ONLY; /createdBy READ_ONLY; "
                        + "/updatedAt READ_ONLY; /updatedBy READ_ONLY"
                },
                { "an older version, and any is meant", given, Kept(version: 1), null, "Invalid /version READ_ONLY" },
                { "an older version", given, Kept(version: 1), IfMatch(1), "VersionMismatch" },
            };
        }
    }

    [Theory, MemberData(nameof(Life)), MemberData(nameof(Preconditions)), MemberData(nameof(KeptMembers))]
    public void Command_is_decided(
        string scenario,
        ResourceEvent[] given,
        ResourceCommand when,
        Conditions? under,
        string then
    ) => Assert.Equal((scenario, then), (scenario, Told(When(given, when, under))));

    [Fact]
    public void Version_conflict_returns_the_current_version()
    {
        Assert.Equal(3, When([Created, Deleted, Restored], Delete, IfMatch(1)).Rejection!.Version);
        Assert.Equal(2, When([Created, Deleted], Rename).Rejection!.Version);
    }

    [Fact]
    public void Envelope_records_time_and_actor()
    {
        var state = Resource.Evolve(null, Record(Created, 1, Alice));
        state = Resource.Evolve(state, Record(new ResourceRenamed("Urfaust"), 2, Bob));
        Assert.Equal(
            (At(1), Alice, At(2), Bob, Alice),
            (state.CreatedAt, state.CreatedBy, state.UpdatedAt, state.UpdatedBy, state.Owner)
        );
        state = Resource.Evolve(state, Record(Deleted, 3, Alice));
        Assert.Equal((At(3), At(3), Alice), (state.DeletedAt, state.UpdatedAt, state.UpdatedBy));
        Assert.Null(Resource.Evolve(state, Record(Restored, 4, Bob)).DeletedAt);
    }
}
