using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// How stored resources become what a changed definition demands: operations that are run in their order. It is a pure
/// function of a resource's status and metadata, and total: what it cannot do with a value is a fault of the resource.
/// </summary>
public sealed class Migration
{
    public const int MaxSteps = 64;

    /// <summary>The largest migration, in bytes: a type remembers some of them.</summary>
    public const int MaxBytes = 32 << 10;

    internal const string Operations = "operations";

    readonly string[][] places;

    internal Migration(JsonText text, IReadOnlyList<MigrationStep> steps)
    {
        Text = text;
        Steps = steps;
        places =
        [
            .. steps.SelectMany(step =>
                step is MoveStep move ? [Emptied(move.From), JsonPointer.Parse(move.Path)!]
                : step is RemoveStep ? [Emptied(step.Path)]
                : new[] { JsonPointer.Parse(step.Path)! }
            ),
        ];
    }

    /// <summary>The operations as they are stored.</summary>
    public JsonText Text { get; }

    public IReadOnlyList<MigrationStep> Steps { get; }

    /// <summary>Reads the operations that were sent with a definition, or returns null and adds every fault found.</summary>
    /// <param name="schema">That of the definition; null where it is faulty itself.</param>
    public static Migration? Read(JsonElement given, Schema? schema, List<Fault> faults) =>
        new MigrationReader(schema, faults).Read(given);

    /// <summary>A migration that was in the log: it was read before it was written there.</summary>
    public static Migration Stored(JsonText text)
    {
        var faults = new List<Fault>();
        return new MigrationReader(null, faults).Read(text)
            ?? throw new InvalidDataException(
                $"A stored migration is not valid: {faults[0].Pointer} {faults[0].Code}."
            );
    }

    /// <summary>The operations of a stored migration, as they were sent.</summary>
    public static JsonElement ListIn(JsonText text) => text.ToElement().GetProperty(Operations);

    /// <summary>What a status and metadata become. Where they cannot, faults are added and nothing has changed.</summary>
    public (string Status, JsonText Metadata) Apply(string status, JsonText metadata, List<Fault> faults) =>
        new MigrationRun(status, metadata, faults).Through(Steps);

    /// <summary>What a status becomes, whatever the metadata are.</summary>
    public string StatusAfter(string status) =>
        Steps
            .OfType<MapStep>()
            .Where(step => step.Path is "/status")
            .Aggregate(status, (before, step) =>
                step.Values.TryGetValue(before, out var after) ? after.GetString()! : before
            );

    /// <summary>Whether a rule about a member may see another value afterwards.</summary>
    /// <param name="pointer">A pointer of a definition; a step <c>*</c> is every item of a list.</param>
    public bool Touches(string pointer)
    {
        var steps = JsonPointer.Parse(pointer)!;
        return Array.Exists(places, place =>
            place.Zip(steps).All(step => step.Second is "*" || step.First == step.Second)
        );
    }

    /// <summary>What is taken out of a list moves the items behind it: so the list itself is what changes.</summary>
    static string[] Emptied(string pointer)
    {
        var steps = JsonPointer.Parse(pointer)!;
        // Whether it is a list or an object that has such a member is known of each resource only. Nothing is put into lists.
        return JsonPointer.Index(steps[^1], int.MaxValue) < 0 ? steps : steps[..^1];
    }
}
