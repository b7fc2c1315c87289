using System.Runtime.InteropServices;
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
        var left = before.EnumerateObject();
        var right = after.EnumerateObject();
        var (hasLeft, hasRight) = (left.MoveNext(), right.MoveNext());
        // Mostly both have the same members in the order of the store. No names are made for what is equal.
        while (hasLeft && hasRight && !isTooMuch && HaveOneName(left.Current, right.Current))
        {
            if (!AreOneText(left.Current.Value, right.Current.Value))
                Compare(left.Current.Name, left.Current.Value, right.Current.Value);
            (hasLeft, hasRight) = (left.MoveNext(), right.MoveNext());
        }
        if (isTooMuch)
            return;
        // Found by name in one pass: looking each up in an element takes time in proportion to its size.
        var added = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        for (; hasRight; hasRight = right.MoveNext())
            added.Add(right.Current.Name, right.Current.Value);
        for (; hasLeft && !isTooMuch; hasLeft = left.MoveNext())
            if (added.Remove(left.Current.Name, out var value))
                Compare(left.Current.Name, left.Current.Value, value);
            else
                Add(left.Current.Name);
        foreach (var name in added.Keys)
        {
            if (isTooMuch)
                return;
            Add(name);
        }
    }

    static bool HaveOneName(JsonProperty one, JsonProperty other) =>
        JsonMarshal.GetRawUtf8PropertyName(one).SequenceEqual(JsonMarshal.GetRawUtf8PropertyName(other));

    static bool AreOneText(JsonElement one, JsonElement other) =>
        JsonMarshal.GetRawUtf8Value(one).SequenceEqual(JsonMarshal.GetRawUtf8Value(other));
}
