using System.Text.Json;
using CsCheck;
using Resources.Grains;
using static Resources.Domain.Tests.Story;

namespace Resources.Domain.Tests;

/// <summary>Properties of a resource, over random histories.</summary>
public class ResourcePropertyTests
{
    static readonly Gen<string> Name = Gen.OneOf("Faust", "Urfaust", "é", "𝄞");
    static readonly Gen<string> Status = Gen.OneOf("active", "draft");
    static readonly Gen<JsonText> Metadata = TestJson.Object.Select(Text);

    static readonly Gen<ResourceCommand> Replace = Gen.Select(Name, Status, Metadata, (name, status, metadata) =>
        (ResourceCommand)new ReplaceResource(null, name, status, metadata)
    );

    static readonly Gen<ResourceCommand> Merge = Gen.Select(Name, Status, TestJson.Object, Gen.Int[1, 7])
        .Select(
            (name, status, metadata, members) =>
                MergePatch(
                    "{"
                        + string.Join(
                            ",",
                            new[]
                            {
                                $"\"name\":\"{name}\"",
                                $"\"status\":\"{status}\"",
                                $"\"metadata\":{metadata}",
                            }.Where((_, i) => (members & 1 << i) != 0)
                        )
                        + "}"
                )
        );

    static readonly Gen<ResourceCommand> Operations = Gen.Select(
            Gen.OneOf("add", "replace", "remove", "test", "copy", "move"),
            Gen.OneOf("/name", "/status", "/metadata", "/metadata/a", "/metadata/b", "/metadata/a/0"),
            Gen.OneOf("/metadata/a", "/owner", "/metadata/c"),
            TestJson.Value
        )
        .Select(
            (op, path, from, value) => $$"""{"op":"{{op}}","path":"{{path}}","from":"{{from}}","value":{{value}}}"""
        )
        .Array[1, 4]
        .Select(operations => JsonPatch($"[{string.Join(",", operations)}]"));

    static readonly Gen<ResourceCommand> Repeatable = Gen.OneOf(
        Replace,
        Merge,
        Gen.Const<ResourceCommand>(new DeleteResource()),
        Gen.Const<ResourceCommand>(new RestoreResource())
    );

    static readonly ResourceCommand Create = new CreateResource("book", "Faust", "active", JsonText.Empty);

    static readonly Gen<ResourceCommand> Any = Gen.Frequency(
        (1, Gen.Const(Create)),
        (3, Replace),
        (3, Merge),
        (3, Operations),
        (1, Gen.Const<ResourceCommand>(new DeleteResource())),
        (1, Gen.Const<ResourceCommand>(new RestoreResource()))
    );

    static readonly Gen<ResourceCommand[]> Life = Any.Array[0, 12]
        .Select(later => (ResourceCommand[])[Create, .. later]);

    [Fact]
    public void Versions_count_events_and_a_replay_equals_the_live_state() =>
        Life.Sample(commands =>
        {
            var (live, version, events) = Live(commands);
            var (replayed, counted) = Fold(events);
            return version == counted && version == events.Count && replayed == live;
        });

    [Fact]
    public void State_and_events_survive_storage() =>
        Life.Sample(commands =>
        {
            var (live, _, events) = Live(commands);
            return events.TrueForAll(data => Written(Stored(data, data.GetType())) == Written(data))
                && (live is null || Stored(live, typeof(Resource)).Equals(live));
        });

    [Fact]
    public void Command_appends_one_event_at_most_and_it_tells_what_differs() =>
        Life.Sample(commands =>
        {
            var state = (Resource?)null;
            var version = 0L;
            foreach (var command in commands)
            {
                var events = Resource.Decide(state, command, new(version, By(Alice), At(version))).Events;
                if (events is [])
                    continue;
                var data = Assert.Single(events);
                var after = Resource.Evolve(state, Record(data, ++version));
                if (data is not (ResourceCreated or ResourceDeleted or ResourceRestored))
                    Assert.Equal(
                        (
                            after.Name != state!.Name,
                            after.Status != state.Status,
                            !after.Metadata.Equals(state.Metadata)
                        ),
                        Told(ChangedOf(data))
                    );
                state = after;
            }
        });

    [Fact]
    public void Repeated_command_appends_nothing() =>
        Gen.Select(Life, Repeatable)
            .Sample(
                (commands, again) =>
                {
                    var events = Live(commands).Events;
                    var first = When(events, again);
                    return first.Rejection is not null
                        || When([.. events, .. first.Events], again) is { Rejection: null, Events: [] };
                }
            );

    [Fact]
    public void Rejection_has_no_events_and_a_stale_condition_never_writes() =>
        Gen.Select(Life, Any)
            .Sample(
                (commands, next) =>
                {
                    var (_, version, events) = Live(commands);
                    var plain = When(events, next);
                    var stale = When(events, next, IfMatch(version + 1));
                    return (plain.Rejection is null || plain.Events is []) && (version is 0 || stale.Events is []);
                }
            );

    /// <summary>Runs commands as a grain does: decided events are applied, rejected commands are not.</summary>
    static (Resource? State, long Version, List<ResourceEvent> Events) Live(ResourceCommand[] commands)
    {
        var state = (Resource?)null;
        var version = 0L;
        var events = new List<ResourceEvent>();
        foreach (var command in commands)
        foreach (var data in Resource.Decide(state, command, new(version, By(Alice), At(version))).Events)
        {
            state = Resource.Evolve(state, Record(data, ++version));
            events.Add(data);
        }
        return (state, version, events);
    }

    static string[] ChangedOf(ResourceEvent data) =>
        data switch
        {
            ResourceReplaced e => e.Changed!,
            ResourceRenamed e => e.Changed!,
            ResourceStatusChanged e => e.Changed!,
            ResourceMetadataChanged e => e.Changed!,
            ResourceChanged e => e.Changed!,
            _ => throw new InvalidOperationException(data.GetType().Name),
        };

    static (bool, bool, bool) Told(string[] changed) =>
        (
            changed.Contains("/name"),
            changed.Contains("/status"),
            changed.Any(place => place.StartsWith("/metadata/", StringComparison.Ordinal))
        );

    static string Written(object data) => JsonSerializer.Serialize(data, data.GetType(), EventKinds.Json);

    static object Stored(object value, Type type) =>
        JsonSerializer.Deserialize(JsonSerializer.Serialize(value, type, EventKinds.Json), type, EventKinds.Json)!;
}
