using System.Text;
using System.Text.Json;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>
/// Words for tables of decisions. Version n happened at minute n, at position 10·n, by the actor of its command.
/// </summary>
static class Story
{
    public const string Alice = "alice";
    public const string Bob = "bob";

    static readonly EventKinds Kinds = new();

    static readonly DateTimeOffset Midnight = new(2026, 1, 31, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A resource with everything in its metadata that patches trip over.</summary>
    public static readonly ResourceEvent Created = new ResourceCreated(
        "book",
        "Faust",
        "active",
        Text("""{"price":9.50,"tags":["a","b"],"author":{"first":"Johann","last":"Goethe"}}"""),
        Alice
    );

    public static readonly ResourceEvent Deleted = new ResourceDeleted();
    public static readonly ResourceEvent Restored = new ResourceRestored();

    public static JsonText Text(string json) => JsonText.From(JsonElement.Parse(json));

    public static DateTimeOffset At(long version) => Midnight.AddMinutes(version);

    public static Recorded<ResourceEvent> Record(ResourceEvent data, long version, string actor = Alice) =>
        new(data, version, 10 * version, At(version), actor);

    /// <summary>The state and version after events.</summary>
    public static (Resource? State, long Version) Fold(IEnumerable<ResourceEvent> events)
    {
        var state = (Resource?)null;
        var version = 0L;
        foreach (var data in events)
            state = Resource.Evolve(state, Record(data, ++version));
        return (state, version);
    }

    public static Intent By(string actor, Conditions? conditions = null) =>
        new(Guid.Empty, actor, null, null, conditions ?? Conditions.None);

    /// <summary>The decision about a command after events.</summary>
    public static Decision<ResourceEvent> When(
        IEnumerable<ResourceEvent> given,
        ResourceCommand command,
        Conditions? conditions = null
    )
    {
        var (state, version) = Fold(given);
        return Resource.Decide(state, command, new(version, By(Bob, conditions), At(version)));
    }

    public static ResourceCommand MergePatch(string document) =>
        new PatchResource(PatchFormat.Merge, Encoding.UTF8.GetBytes(document));

    public static ResourceCommand JsonPatch(string document) =>
        new PatchResource(PatchFormat.Json, Encoding.UTF8.GetBytes(document));

    /// <summary>A patch with the operations that JSON Patch does not have.</summary>
    public static ResourceCommand ExtendedPatch(string document) =>
        new PatchResource(PatchFormat.Extended, Encoding.UTF8.GetBytes(document));

    /// <summary>If-Match with these versions.</summary>
    public static Conditions IfMatch(params long[] versions) => new(false, versions, false, null);

    /// <summary>If-None-Match with these versions; * when there is none.</summary>
    public static Conditions IfNoneMatch(params long[] versions) => new(false, null, versions is [], versions);

    /// <summary>A decision in one line: events by name with their data, or the rejection with its faults.</summary>
    public static string Told(Decision<ResourceEvent> decision) =>
        decision.Rejection is { } rejection
            ? rejection.Faults is { Length: > 0 } faults
                ? $"{rejection.Kind} {TestJson.Summary(faults)}"
                : $"{rejection.Kind}"
            : string.Join(
                " ",
                decision.Events.Select(data =>
                    Kinds[data.GetType()].Name["resource.".Length..]
                    + JsonSerializer.Serialize(data, data.GetType(), EventKinds.Json)
                )
            );
}
