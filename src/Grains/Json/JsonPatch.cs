using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>
/// A well-formed JSON Patch (RFC 6902), perhaps with the operations <c>increment</c>, <c>addToSet</c> and
/// <c>removeFromSet</c>, which need no reading first. It refers to the document that it was parsed from.
/// </summary>
public sealed class JsonPatch
{
    /// <summary>The most operations in a patch.</summary>
    public const int MaxOperations = 100;

    readonly List<PatchOperation> operations;

    JsonPatch(List<PatchOperation> operations) => this.operations = operations;

    /// <summary>
    /// Reads a patch that came through <see cref="StrictJson"/>, or returns null and adds every fault of its structure.
    /// </summary>
    /// <param name="isExtended">Whether it may have the operations that are not of RFC 6902.</param>
    public static JsonPatch? Parse(JsonElement patch, List<Fault> faults, bool isExtended = false)
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
                PatchOperation.Read(
                    element,
                    $"/{index++.ToString(CultureInfo.InvariantCulture)}",
                    faults,
                    isExtended
                ) is
                { } operation
            )
                operations.Add(operation);
        return operations.Count == index ? new JsonPatch(operations) : null;
    }

    /// <summary>
    /// Applies all operations to a copy of the document, or none: the first failure ends it.
    /// </summary>
    /// <param name="document">The document to patch; it is not changed.</param>
    /// <param name="mayWrite">
    /// Whether a pointer may be written. All are checked before anything is applied. <c>test</c> and the source of
    /// <c>copy</c> only read, so they are not checked.
    /// </param>
    /// <param name="maxBytes">
    /// The upper bound of the result. The operations may write a few times as much in total.
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
