using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>Takes references out of metadata: the members that hold them, or the items of lists.</summary>
public static class ReferenceRemoval
{
    public static JsonText Without(this JsonText metadata, IEnumerable<(MemberPath Path, Guid Target)> references)
    {
        var element = metadata.ToElement();
        var root = JsonNodes.From(element)!;
        var pointers =
            from reference in references
            from place in reference.Path.AllIn(element)
            where ResourceForm.IdIn(place.Value) == reference.Target
            select place.Pointer;
        // All are found before one is removed, as that moves the items behind it.
        foreach (var node in pointers.Distinct().Select(pointer => Find(root, pointer)).ToArray())
            if (node.Parent is JsonArray list)
                list.Remove(node);
            else
                node.Parent!.AsObject().Remove(node.GetPropertyName());
        return JsonText.From(JsonNodes.ToElement(root));
    }

    /// <summary>The node at a pointer that begins with /metadata and leads to something.</summary>
    static JsonNode Find(JsonNode root, string pointer) =>
        JsonPointer
            .Parse(pointer)!
            .Skip(1)
            .Aggregate(root, (node, step) =>
                node is JsonArray list ? list[JsonPointer.Index(step, list.Count)]! : node.AsObject()[step]!
            );
}
