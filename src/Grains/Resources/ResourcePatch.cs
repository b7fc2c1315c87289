using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>Applies a patch document to a resource. Only name, status and metadata can be patched.</summary>
static class ResourcePatch
{
    static readonly string[] Writable = ["/name", "/status", "/metadata"];

    /// <summary>Checks the document before the precondition, and its application after it.</summary>
    public static Decision<ResourceEvent> Decide(Resource state, PatchResource command, DecisionContext context)
    {
        var faults = new List<Fault>();
        using var document = StrictJson.Read(command.Document, faults);
        if (document is null)
            return Resource.Invalid([.. faults]);
        return command.Format is PatchFormat.Merge
            ? Merge(state, document.RootElement, context, faults)
            : Operations(
                state,
                JsonPatch.Parse(document.RootElement, faults, command.Format is PatchFormat.Extended),
                context,
                faults
            );
    }

    static Decision<ResourceEvent> Merge(Resource state, JsonElement patch, DecisionContext context, List<Fault> faults)
    {
        var reader = new ObjectReader(patch, faults);
        var name = reader.Text("name", 1, 255, optional: true);
        var status = reader.Slug("status", optional: true);
        // Metadata is never absent: removing it by null leaves the empty object.
        var cleared = reader.IsNull("metadata");
        var metadata = cleared ? JsonText.Empty : reader.Object("metadata", optional: true);
        reader.RefuseOthers(Resource.OwnMembers);
        if (faults is not [])
            return Resource.Invalid([.. faults]);
        if (!context.Intent.Conditions.Hold(context.Version))
            return Resource.Mismatch(context.Version);
        if (metadata is not null && !cleared)
            metadata = JsonText.From(
                JsonNodes.ToElement(MergePatch.Apply(state.Metadata.ToElement(), metadata.ToElement()))
            );
        return Changes(state, name ?? state.Name, status ?? state.Status, metadata ?? state.Metadata);
    }

    static Decision<ResourceEvent> Operations(
        Resource state,
        JsonPatch? patch,
        DecisionContext context,
        List<Fault> faults
    )
    {
        if (patch is null)
            return Resource.Invalid([.. faults]);
        var result = patch.Apply(
            Document(state, context.Version),
            pointer =>
                Writable.Any(path =>
                    pointer == path || path is "/metadata" && pointer.StartsWith("/metadata/", StringComparison.Ordinal)
                ),
            2 * StrictJson.MaxStoredBytes
        );
        if (result is PatchResult.Forbidden forbidden)
            return Resource.Invalid(
                new Fault(
                    $"/{forbidden.Index}",
                    FaultCode.ReadOnly,
                    $"'{forbidden.Pointer}' cannot be patched; name, status and metadata can."
                )
            );
        if (!context.Intent.Conditions.Hold(context.Version))
            return Resource.Mismatch(context.Version);
        return result switch
        {
            PatchResult.TestFailed test => new Rejection(
                Refusal.PatchTestFailed,
                $"Operation {test.Index}: the test of '{test.Pointer}' failed."
            ),
            PatchResult.BoundExceeded bound => new Rejection(
                Refusal.BoundExceeded,
                $"Operation {bound.Index} at '{bound.Pointer}': {bound.Detail}",
                [new(bound.Pointer, FaultCode.BoundExceeded, bound.Detail)]
            ),
            PatchResult.CannotApply cannot => new Rejection(
                Refusal.PatchNotApplicable,
                $"Operation {cannot.Index} at '{cannot.Pointer}': {cannot.Detail}",
                [new($"/{cannot.Index}", cannot.Code, cannot.Detail)]
            ),
            PatchResult.Done done => Patched(state, JsonNodes.ToElement(done.Document), faults),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }

    static Decision<ResourceEvent> Patched(Resource state, JsonElement document, List<Fault> faults)
    {
        var reader = new ObjectReader(document, faults);
        var name = reader.Text("name", 1, 255);
        var status = reader.Slug("status");
        var metadata = reader.Object("metadata", optional: true) ?? JsonText.Empty;
        return faults is [] ? Changes(state, name!, status!, metadata) : Resource.Invalid([.. faults]);
    }

    static Decision<ResourceEvent> Changes(Resource state, string name, string status, JsonText metadata)
    {
        var decision = state.Change(name, status, metadata);
        // Many patches can make no more of it than one request can bring.
        return
            decision.Events is []
            || ReferenceEquals(metadata, state.Metadata)
            || StrictJson.FitsStore(metadata.Utf8.Span)
            ? decision
            : Resource.Invalid(
                new Fault(
                    "/metadata",
                    FaultCode.TooLarge,
                    "The metadata would be larger than 1 MiB when its numbers are written without exponents."
                )
            );
    }

    /// <summary>The document that the operations of a JSON Patch read.</summary>
    static JsonObject Document(Resource state, long version) =>
        new()
        {
            ["type"] = state.Type,
            ["name"] = state.Name,
            ["status"] = state.Status,
            ["owner"] = state.Owner,
            ["version"] = version,
            ["metadata"] = JsonNodes.From(state.Metadata.ToElement()),
        };
}
