using System.Text.Json;

namespace Resources.Grains;

/// <summary>A definition of a type, read and compiled: what resources of its name look like and may do.</summary>
/// <param name="Text">The definition as it was given, without the migration that came with it.</param>
/// <param name="Collation">The order of texts in its indexes, one of <see cref="Collations"/>.</param>
/// <param name="Display">A pointer to what people call a resource of the type; null = its name.</param>
/// <param name="Migration">How stored resources become what it demands; null where they stay as they are.</param>
public sealed record TypeDefinition(
    JsonText Text,
    string Name,
    string? Title,
    string? Description,
    string Plural,
    Schema Schema,
    Lifecycle? Lifecycle,
    IReadOnlyList<ReferenceRule> References,
    IReadOnlyList<UniqueRule> Unique,
    IReadOnlyList<IndexedMember> Indexed,
    string Collation,
    string? Display,
    Migration? Migration
)
{
    /// <summary>The largest definition, in bytes.</summary>
    public const int MaxBytes = 128 << 10;

    /// <summary>The longest pointer, in characters.</summary>
    public const int MaxPointer = 1_000;

    /// <summary>A definition that was in the log: it was read before it was written there.</summary>
    public static TypeDefinition Stored(JsonText text)
    {
        var faults = new List<Fault>();
        return Read(text, faults)
            ?? throw new InvalidDataException(
                $"A stored definition is not valid: {faults[0].Pointer} {faults[0].Code}."
            );
    }

    /// <summary>Reads a definition, or returns null and adds every fault found.</summary>
    public static TypeDefinition? Read(JsonText text, List<Fault> faults)
    {
        if (text.Utf8.Length > MaxBytes)
        {
            faults.Report("", FaultCode.TooLarge, $"A definition may have at most {MaxBytes} bytes.");
            return null;
        }
        var known = faults.Count;
        var definition = new DefinitionReader(text, faults).Read();
        return faults.Count == known ? definition : null;
    }

    /// <summary>The plural of a type's name.</summary>
    public static string PluralOf(JsonElement definition, string name) =>
        definition.TryGetProperty("names", out var names) && names.TryGetProperty("plural", out var plural)
            ? plural.GetString()!
            : name + "s";

    /// <summary>The types that a definition, or a part of one, refers to; at most as many as it may.</summary>
    public static string[] TypesIn(JsonText definition) =>
        definition.ToElement().TryGetProperty("references", out var references)
        && references.ValueKind is JsonValueKind.Object
            ?
            [
                .. references
                    .EnumerateObject()
                    .Take(ReferenceRule.Max)
                    .Select(reference =>
                        reference.Value.ValueKind is JsonValueKind.Object
                        && reference.Value.TryGetProperty("type", out var type)
                        && type.ValueKind is JsonValueKind.String
                            ? type.GetString()!
                            : ""
                    )
                    .Where(Slug.IsValid)
                    .Distinct(),
            ]
            : [];
}
