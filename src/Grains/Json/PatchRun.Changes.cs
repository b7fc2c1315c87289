using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>The operations that say what to do with a value that their sender has not read.</summary>
internal sealed partial class PatchRun
{
    public const string NoDecimal = "The number has to be a decimal of at most 28 digits.";

    /// <summary>The most items of a list that is used as a set: all of them are compared with the value.</summary>
    const int MaxSet = 10_000;

    PatchResult? Increment(PatchOperation operation, int index)
    {
        var path = operation.Path;
        if (!Find(path.Steps, out var node))
            return NotFound(index, path);
        if (node?.GetValueKind() is not JsonValueKind.Number)
            return WrongType(index, path, "a number");
        var target = JsonNumber.ToDecimal(node.AsValue().GetValue<JsonElement>());
        if (target is not { } before || Sum(before, JsonNumber.ToDecimal(operation.Value)!.Value) is not { } sum)
            return new PatchResult.CannotApply(index, path.Pointer, FaultCode.NumberOutOfRange, NoDecimal);
        if (sum < operation.Minimum)
            return new PatchResult.BoundExceeded(index, path.Pointer, "The number would be less than the minimum.");
        if (sum > operation.Maximum)
            return new PatchResult.BoundExceeded(index, path.Pointer, "The number would be more than the maximum.");
        var text = Encoding.ASCII.GetBytes(Text(sum));
        return Put(path, text, JsonElement.Parse(text), index, PatchKind.Replace);
    }

    /// <summary>The exact sum; null when it has more digits than a number may have.</summary>
    static decimal? Sum(decimal one, decimal other)
    {
        try
        {
            var sum = one + other;
            return sum - one == other && sum - other == one && NumberText.Survives(Text(sum)) ? sum : null;
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    static string Text(decimal number) => number.ToString(CultureInfo.InvariantCulture);

    PatchResult? ChangeSet(PatchOperation operation, int index)
    {
        var path = operation.Path;
        var adds = operation.Kind is PatchKind.AddToSet;
        if (!Find(path.Steps, out var node))
            return adds ? Begin(path, operation.Value, index) : null;
        if (node is not JsonArray set)
            return WrongType(index, path, "a list");
        if (set.Count > MaxSet)
            return TooLong(index, path);
        var value = JsonNodes.From(operation.Value);
        if (!adds)
            set.RemoveAll(item => JsonNode.DeepEquals(item, value));
        if (!adds || set.Any(item => JsonNode.DeepEquals(item, value)))
            return null;
        return set.Count == MaxSet
            ? TooLong(index, path)
            : Put(
                path with
                {
                    Steps = [.. path.Steps, "-"],
                },
                JsonMarshal.GetRawUtf8Value(operation.Value),
                operation.Value,
                index,
                PatchKind.Add
            );
    }

    /// <summary>Makes the set with its first value, as a member of what is there.</summary>
    PatchResult.CannotApply? Begin(Place path, JsonElement value, int index)
    {
        if (Parent(path.Steps) is not JsonObject)
            return NotFound(index, path);
        byte[] list = [.. "["u8, .. JsonMarshal.GetRawUtf8Value(value), .. "]"u8];
        return Put(path, list, JsonElement.Parse(list), index, PatchKind.Add);
    }

    static PatchResult.CannotApply TooLong(int index, Place place) =>
        new(index, place.Pointer, FaultCode.TooLong, $"A list that is used as a set may have at most {MaxSet} items.");

    static PatchResult.CannotApply WrongType(int index, Place place, string needed) =>
        new(index, place.Pointer, FaultCode.WrongType, $"The value there has to be {needed}.");
}
