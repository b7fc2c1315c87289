using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>What a patch document makes of a resource. Only name, status and metadata can be patched.</summary>
static class ResourcePatch
{
    /// <summary>Metadata may grow, by many patches, as large as one request could make it.</summary>
    const int MaxMetadataBytes = 1 << 20;

    static readonly string[] Writable = ["/name", "/status", "/metadata"];

    /// <summary>Faults of the document come before the precondition, faults of its application after it.</summary>
    public static Decision<ResourceEvent> Decide(
        Resource state,
        long version,
        PatchResource command,
        Conditions conditions
    )
    {
        var faults = new List<Fault>();
        using var document = StrictJson.Read(command.Document, faults);
        if (document is null)
            return Resource.Invalid([.. faults]);
        return command.Format is PatchFormat.Merge
            ? Merge(state, version, document.RootElement, conditions, faults)
            : Operations(state, version, document.RootElement, conditions, faults);
    }

    static Decision<ResourceEvent> Merge(
        Resource state,
        long version,
        JsonElement patch,
        Conditions conditions,
        List<Fault> faults
    )
    {
        var reader = new ObjectReader(patch, faults);
        var name = reader.Text("name", 1, 255, optional: true);
        var status = reader.Slug("status", optional: true);
        // Metadata without a value is the empty object, so removing it by null leaves that.
        var cleared = reader.IsNull("metadata");
        var metadata = cleared ? JsonText.Empty : reader.Object("metadata", optional: true);
        reader.RefuseOthers();
        if (faults is not [])
            return Resource.Invalid([.. faults]);
        if (!conditions.Hold(version))
            return Resource.Mismatch(version);
        if (metadata is not null && !cleared)
            metadata = JsonText.From(
                JsonNodes.ToElement(MergePatch.Apply(state.Metadata.ToElement(), metadata.ToElement()))
            );
        return Changes(state, name ?? state.Name, status ?? state.Status, metadata ?? state.Metadata);
    }

    static Decision<ResourceEvent> Operations(
        Resource state,
        long version,
        JsonElement operations,
        Conditions conditions,
        List<Fault> faults
    )
    {
        var patch = JsonPatch.Parse(operations, faults);
        if (patch is null)
            return Resource.Invalid([.. faults]);
        var result = patch.Apply(
            Document(state, version),
            pointer =>
                Writable.Any(path =>
                    pointer == path || path is "/metadata" && pointer.StartsWith("/metadata/", StringComparison.Ordinal)
                ),
            2 * MaxMetadataBytes
        );
        if (result is PatchResult.Forbidden forbidden)
            return Resource.Invalid(
                new Fault(
                    $"/{forbidden.Index}",
                    "READ_ONLY",
                    $"'{forbidden.Pointer}' cannot be patched; name, status and metadata can."
                )
            );
        if (!conditions.Hold(version))
            return Resource.Mismatch(version);
        return result switch
        {
            PatchResult.TestFailed test => new Rejection(
                Refusal.PatchTestFailed,
                $"Operation {test.Index}: the test of '{test.Pointer}' failed."
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
        if (metadata.Utf8.Length > MaxMetadataBytes)
            return Resource.Invalid(
                new Fault("/metadata", FaultCode.TooLarge, "The metadata would be larger than 1 MiB.")
            );
        var events = new List<ResourceEvent>(3);
        if (name != state.Name)
            events.Add(new ResourceRenamed(name));
        if (status != state.Status)
            events.Add(new ResourceStatusChanged(status));
        if (!metadata.Equals(state.Metadata))
            events.Add(new ResourceMetadataChanged(metadata));
        return new([.. events], null);
    }

    /// <summary>What tests and copies of a JSON Patch can look at.</summary>
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
