using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// The places in which two states of a document differ, as JSON Pointers: members that were added, removed, or have
/// another value. A list differs as a whole, because its indexes say nothing once an item is put before the others.
/// </summary>
public sealed class JsonDifference
{
    /// <summary>The most places that are named.</summary>
    public const int MaxPlaces = 100;

    /// <summary>The most characters that the pointers have together: names of members may be long.</summary>
    public const int MaxLength = 16 << 10;

    readonly List<string> places = [];
    readonly List<string> path = [];
    int length;
    bool isTooMuch;

    /// <summary>The pointers, in the order of comparison; null when they are too many or too long.</summary>
    public string[]? Places => isTooMuch ? null : [.. places];

    /// <summary>Adds a member of the document, or of the object that is being compared.</summary>
    public void Add(string member)
    {
        var pointer = JsonPointer.Append(path.Aggregate("", JsonPointer.Append), member);
        length += pointer.Length;
        isTooMuch |= places.Count == MaxPlaces || length > MaxLength;
        if (!isTooMuch)
            places.Add(pointer);
    }

    /// <summary>Adds the places in which the object of a member differs.</summary>
    public void Compare(string member, JsonText before, JsonText after)
    {
        if (before.Utf8.Span.SequenceEqual(after.Utf8.Span))
            return;
        using var left = JsonDocument.Parse(before.Utf8);
        using var right = JsonDocument.Parse(after.Utf8);
        Compare(member, left.RootElement, right.RootElement);
    }

    void Compare(string member, JsonElement before, JsonElement after)
    {
        if ((before.ValueKind, after.ValueKind) is not (JsonValueKind.Object, JsonValueKind.Object))
        {
            if (!JsonElement.DeepEquals(before, after))
                Add(member);
            return;
        }
        path.Add(member);
        CompareMembers(before, after);
        path.RemoveAt(path.Count - 1);
    }

    void CompareMembers(JsonElement before, JsonElement after)
    {
        // Found by name in one pass: looking each up in an element takes time in proportion to its size.
        var added = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in after.EnumerateObject())
            added.Add(member.Name, member.Value);
        foreach (var member in before.EnumerateObject())
        {
            if (isTooMuch)
                return;
            if (added.Remove(member.Name, out var value))
                Compare(member.Name, member.Value, value);
            else
                Add(member.Name);
        }
        foreach (var name in added.Keys)
        {
            if (isTooMuch)
                return;
            Add(name);
        }
    }
}
