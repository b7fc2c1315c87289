using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>A well-formed JSON Patch (RFC 6902). It reads from the document it was parsed from.</summary>
public sealed class JsonPatch
{
    /// <summary>The most operations in a patch.</summary>
    public const int MaxOperations = 100;

    readonly List<PatchOperation> operations;

    JsonPatch(List<PatchOperation> operations) => this.operations = operations;

    /// <summary>
    /// Reads a patch that came through <see cref="StrictJson"/>, or returns null and adds every fault of its structure.
    /// </summary>
    public static JsonPatch? Parse(JsonElement patch, List<Fault> faults)
    {
        if (patch.ValueKind != JsonValueKind.Array)
        {
            faults.Report("", FaultCode.WrongType, "A JSON Patch is a list of operations.");
            return null;
        }
        if (patch.GetArrayLength() > MaxOperations)
        {
            faults.Report("", FaultCode.TooManyOperations, $"A patch may have at most {MaxOperations} operations.");
            return null;
        }

        var operations = new List<PatchOperation>(patch.GetArrayLength());
        var index = 0;
        foreach (var element in patch.EnumerateArray())
            if (
                PatchOperation.Read(element, $"/{index++.ToString(CultureInfo.InvariantCulture)}", faults) is
                { } operation
            )
                operations.Add(operation);
        return operations.Count == index ? new JsonPatch(operations) : null;
    }

    /// <summary>
    /// Applies all operations to a copy of the document, or none: the first that fails ends it.
    /// </summary>
    /// <param name="document">What to patch; it is not changed.</param>
    /// <param name="mayWrite">
    /// Which pointers may be written. All are asked before anything is applied; <c>test</c> and the source of
    /// <c>copy</c> are not asked for, as they only read.
    /// </param>
    /// <param name="maxBytes">
    /// How large the result may be. What the operations write may add up to a few times as much.
    /// </param>
    public PatchResult Apply(JsonNode? document, Func<string, bool> mayWrite, int maxBytes)
    {
        for (var i = 0; i < operations.Count; i++)
            if (operations[i].Written().FirstOrDefault(pointer => !mayWrite(pointer)) is { } forbidden)
                return new PatchResult.Forbidden(i, forbidden);

        var run = new PatchRun(document, maxBytes);
        for (var i = 0; i < operations.Count; i++)
            if (run.Apply(operations[i], i) is { } failure)
                return failure;
        return run.Finish(operations.LastOrDefault(), operations.Count - 1);
    }
}

/// <summary>What became of a patch. An index counts operations from 0; a pointer is one into the document.</summary>
public abstract record PatchResult
{
    PatchResult() { }

    /// <summary>The patched document.</summary>
    public sealed record Done(JsonNode? Document) : PatchResult;

    /// <summary>A <c>test</c> found another value, or none.</summary>
    public sealed record TestFailed(int Index, string Pointer) : PatchResult;

    /// <summary>An operation does not fit the document; the code is one of <see cref="FaultCode"/>.</summary>
    public sealed record CannotApply(int Index, string Pointer, string Code, string Detail) : PatchResult;

    /// <summary>An operation writes where it may not.</summary>
    public sealed record Forbidden(int Index, string Pointer) : PatchResult;
}
