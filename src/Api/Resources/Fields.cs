using System.Text.Json;
using System.Text.Json.Nodes;
using Resources.Grains;

namespace Resources.Api;

/// <summary>The <c>fields</c> parameter: which members of a resource an answer shows. The id is always shown.</summary>
static class Fields
{
    static readonly HashSet<string> Members =
    [
        "id",
        "type",
        "name",
        "status",
        "metadata",
        "owner",
        "version",
        "createdAt",
        "createdBy",
        "updatedAt",
        "updatedBy",
        "deletedAt",
    ];

    /// <summary>Adds a fault for every field that resources do not have.</summary>
    public static void Check(QueryReader query)
    {
        if (query.Text("fields") is not { } fields)
            return;
        foreach (var field in fields.Split(','))
            if (
                !Members.Contains(field)
                && !(
                    field.StartsWith("metadata.", StringComparison.Ordinal)
                    && field.Length > "metadata.".Length
                    && !field.Contains("..", StringComparison.Ordinal)
                    && !field.EndsWith('.')
                )
            )
                query.Fail<string>("fields", $"has '{field}', which is not a field of resources");
    }

    /// <summary>The document with only the fields asked for.</summary>
    public static JsonElement Pick(ResourceDocument document, string fields)
    {
        var whole = document is ListedResource listed
            ? JsonSerializer.SerializeToElement(listed, ResourceJson.Default.ListedResource)
            : JsonSerializer.SerializeToElement(document, ResourceJson.Default.ResourceDocument);
        var picked = new JsonObject { ["id"] = JsonNodes.From(whole.GetProperty("id")) };
        foreach (var field in fields.Split(','))
            Copy(whole, picked, field.Split('.'));
        // Asked for by a parameter of its own.
        Copy(whole, picked, ["expanded"]);
        return JsonNodes.ToElement(picked);
    }

    static void Copy(JsonElement from, JsonObject to, ReadOnlySpan<string> path)
    {
        if (!from.TryGetProperty(path[0], out var member))
            return;
        if (path.Length is 1)
            to[path[0]] = JsonNodes.From(member);
        else if (member.ValueKind is JsonValueKind.Object)
        {
            if (to[path[0]] is not JsonObject inner)
                to[path[0]] = inner = [];
            Copy(member, inner, path[1..]);
        }
    }
}
