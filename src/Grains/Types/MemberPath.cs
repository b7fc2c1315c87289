using System.Text.Json;

namespace Resources.Grains;

/// <summary>A pointer into resources, taken apart once.</summary>
public sealed class MemberPath
{
    readonly string[] steps;

    /// <param name="pointer">A pointer that a definition may have; a step <c>*</c> is every item of a list.</param>
    public MemberPath(string pointer)
    {
        Pointer = pointer;
        steps = JsonPointer.Parse(pointer)!;
    }

    public string Pointer { get; }

    /// <summary>The first step.</summary>
    public string Root => steps[0];

    /// <summary>The value at the pointer; null where there is none, or null itself.</summary>
    public JsonElement? In(JsonElement metadata) =>
        steps
            .Skip(1)
            .Aggregate((JsonElement?)metadata, (value, step) => value is { } inside ? Step(inside, step) : null)
            is { ValueKind: not JsonValueKind.Null } found
            ? found
            : null;

    /// <summary>Every value at the pointer with its own pointer, the items of lists at its end among them.</summary>
    public IEnumerable<(string Pointer, JsonElement Value)> AllIn(JsonElement metadata)
    {
        IEnumerable<(string Pointer, JsonElement Value)> found = [("/metadata", metadata)];
        foreach (var step in steps.Skip(1))
            found = step is "*" ? found.SelectMany(Items) : found.SelectMany(one => Member(one, step));
        return found.SelectMany(one => one.Value.ValueKind is JsonValueKind.Array ? Items(one) : [one]);
    }

    static IEnumerable<(string, JsonElement)> Items((string Pointer, JsonElement Value) one) =>
        one.Value.ValueKind is JsonValueKind.Array
            ? one.Value.EnumerateArray().Select((item, index) => ($"{one.Pointer}/{index}", item))
            : [];

    static IEnumerable<(string, JsonElement)> Member((string Pointer, JsonElement Value) one, string step) =>
        Step(one.Value, step) is { } value ? [(JsonPointer.Append(one.Pointer, step), value)] : [];

    static JsonElement? Step(JsonElement value, string step) =>
        value.ValueKind switch
        {
            JsonValueKind.Object => value.TryGetProperty(step, out var member) ? member : null,
            JsonValueKind.Array => JsonPointer.Index(step, value.GetArrayLength()) is >= 0 and var index
                ? value[index]
                : null,
            _ => null,
        };
}
