using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>JSON Merge Patch (RFC 7396).</summary>
public static class MergePatch
{
    /// <summary>
    /// The target with the patch applied, as a new value that reads from the documents of both. It is never deeper
    /// than the deeper of the two, nor larger than both together.
    /// </summary>
    public static JsonNode? Apply(JsonElement target, JsonElement patch)
    {
        if (patch.ValueKind != JsonValueKind.Object)
            return JsonNodes.From(patch);

        // Built anew instead of removed from: removal from a JsonObject takes time in proportion to its size.
        var result = new JsonObject();
        var changes = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var change in patch.EnumerateObject())
            changes[change.Name] = change.Value;
        if (target.ValueKind == JsonValueKind.Object)
            foreach (var member in target.EnumerateObject())
            {
                if (!changes.Remove(member.Name, out var change))
                    result[member.Name] = JsonNodes.From(member.Value);
                else if (change.ValueKind != JsonValueKind.Null)
                    result[member.Name] = Apply(member.Value, change);
            }
        foreach (var change in patch.EnumerateObject())
            if (change.Value.ValueKind != JsonValueKind.Null && changes.ContainsKey(change.Name))
                result[change.Name] = Apply(default, change.Value);
        return result;
    }
}
