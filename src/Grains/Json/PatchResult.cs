using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>The result of a patch. An index counts operations from 0; a pointer is one into the document.</summary>
public abstract record PatchResult
{
    PatchResult() { }

    /// <summary>The patched document.</summary>
    public sealed record Done(JsonNode? Document) : PatchResult;

    /// <summary>A <c>test</c> found another value, or none.</summary>
    public sealed record TestFailed(int Index, string Pointer) : PatchResult;

    /// <summary>An <c>increment</c> would leave its bounds.</summary>
    public sealed record BoundExceeded(int Index, string Pointer, string Detail) : PatchResult;

    /// <summary>An operation does not fit the document; the code is one of <see cref="FaultCode"/>.</summary>
    public sealed record CannotApply(int Index, string Pointer, string Code, string Detail) : PatchResult;

    /// <summary>An operation writes to a forbidden place.</summary>
    public sealed record Forbidden(int Index, string Pointer) : PatchResult;
}
