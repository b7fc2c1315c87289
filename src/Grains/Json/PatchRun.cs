using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>Applies the operations of one patch, one after the other, to its own copy of a document.</summary>
internal sealed partial class PatchRun
{
    // While it is being patched a document may take this many times its limit: what is replaced or removed later is
    // not subtracted, so that measuring costs one pass at the end, and a bomb of copies costs no more than this.
    const int Slack = 4;

    readonly int maxBytes;
    long written;

    /// <summary>An upper bound of the bytes that were compared with items of sets.</summary>
    long compared;

    public PatchRun(JsonNode? document, int maxBytes)
    {
        var bytes = JsonNodes.Write(document);
        Document = JsonNodes.From(JsonElement.Parse(bytes));
        written = bytes.Length;
        this.maxBytes = maxBytes;
    }

    JsonNode? Document { get; set; }

    /// <summary>Applies an operation; null when it went well.</summary>
    public PatchResult? Apply(PatchOperation operation, int index)
    {
        var path = operation.Path;
        switch (operation.Kind)
        {
            case PatchKind.Test:
                return Find(path.Steps, out var actual) && JsonNode.DeepEquals(actual, JsonNodes.From(operation.Value))
                    ? null
                    : new PatchResult.TestFailed(index, path.Pointer);
            case PatchKind.Remove:
                return Remove(path, index);
            case PatchKind.Add or PatchKind.Replace:
                return Put(path, JsonMarshal.GetRawUtf8Value(operation.Value), operation.Value, index, operation.Kind);
            case PatchKind.Increment:
                return Increment(operation, index);
            case PatchKind.AddToSet or PatchKind.RemoveFromSet:
                return ChangeSet(operation, index);
        }

        var from = operation.From!;
        if (!Find(from.Steps, out var source))
            return NotFound(index, from);
        if (operation.Kind == PatchKind.Move)
        {
            if (from.Pointer == path.Pointer)
                return null;
            if (path.Pointer.StartsWith(from.Pointer + "/", StringComparison.Ordinal))
                return new PatchResult.CannotApply(
                    index,
                    path.Pointer,
                    FaultCode.MoveIntoItself,
                    "A value cannot be moved into itself."
                );
        }
        // Copied as text, not node by node: its size and depth are needed anyway.
        var text = JsonNodes.Write(source);
        if (operation.Kind == PatchKind.Move && Remove(from, index) is { } failure)
            return failure;
        return Put(path, text, JsonElement.Parse(text), index, PatchKind.Add);
    }

    /// <summary>The document, unless it has become too large; the last operation is blamed for it.</summary>
    public PatchResult Finish(PatchOperation? last, int index) =>
        last is not null && JsonNodes.Write(Document).Length > maxBytes
            ? TooLarge(last.Path, index)
            : new PatchResult.Done(Document);

    PatchResult.CannotApply? Put(Place path, ReadOnlySpan<byte> text, JsonElement value, int index, PatchKind kind)
    {
        if (path.Steps.Length + StrictJson.DepthOf(text) > StrictJson.MaxDepth)
            return new PatchResult.CannotApply(
                index,
                path.Pointer,
                FaultCode.TooDeep,
                $"The result would be nested deeper than {StrictJson.MaxDepth} levels."
            );
        if (
            !(
                kind == PatchKind.Add
                    ? Add(path.Steps, JsonNodes.From(value))
                    : Replace(path.Steps, JsonNodes.From(value))
            )
        )
            return NotFound(index, path);

        written += text.Length;
        return written > (long)maxBytes * Slack ? TooLarge(path, index) : null;
    }

    PatchResult.CannotApply TooLarge(Place path, int index) =>
        new(index, path.Pointer, FaultCode.TooLarge, $"The result would be larger than {maxBytes} bytes.");

    bool Add(string[] steps, JsonNode? value)
    {
        if (steps is [])
        {
            Document = value;
            return true;
        }
        switch (Parent(steps))
        {
            case JsonObject parent:
                parent[steps[^1]] = value;
                return true;
            case JsonArray parent when steps[^1] == "-":
                parent.Add(value);
                return true;
            case JsonArray parent when JsonPointer.Index(steps[^1], parent.Count + 1) is >= 0 and var at:
                parent.Insert(at, value);
                return true;
            default:
                return false;
        }
    }

    bool Replace(string[] steps, JsonNode? value)
    {
        if (steps is [])
        {
            Document = value;
            return true;
        }
        switch (Parent(steps))
        {
            case JsonObject parent when parent.ContainsKey(steps[^1]):
                parent[steps[^1]] = value;
                return true;
            case JsonArray parent when JsonPointer.Index(steps[^1], parent.Count) is >= 0 and var at:
                parent[at] = value;
                return true;
            default:
                return false;
        }
    }

    PatchResult.CannotApply? Remove(Place path, int index)
    {
        if (path.Steps is [])
            return new PatchResult.CannotApply(
                index,
                "",
                FaultCode.RootRemoved,
                "Without its root there is no document."
            );
        switch (Parent(path.Steps))
        {
            case JsonObject parent when parent.Remove(path.Steps[^1]):
                return null;
            case JsonArray parent when JsonPointer.Index(path.Steps[^1], parent.Count) is >= 0 and var at:
                parent.RemoveAt(at);
                return null;
            default:
                return NotFound(index, path);
        }
    }

    JsonNode? Parent(string[] steps) => Find(steps.AsSpan()[..^1], out var parent) ? parent : null;

    bool Find(ReadOnlySpan<string> steps, out JsonNode? node)
    {
        node = Document;
        foreach (var step in steps)
            switch (node)
            {
                case JsonObject container when container.TryGetPropertyValue(step, out node):
                    break;
                case JsonArray container when JsonPointer.Index(step, container.Count) is >= 0 and var at:
                    node = container[at];
                    break;
                default:
                    return false;
            }
        return true;
    }

    static PatchResult.CannotApply NotFound(int index, Place place) =>
        new(index, place.Pointer, FaultCode.PathNotFound, "The document has no such place.");
}
