using System.Text.Json;
using System.Text.Json.Nodes;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Turns bodies into definitions.</summary>
static class TypeBodies
{
    /// <summary>A definition, or a patch of one, as it was sent; null where it is no object.</summary>
    public static JsonText? Definition(JsonElement body, List<Fault> faults)
    {
        if (body.ValueKind is JsonValueKind.Object)
            return JsonText.From(body);
        faults.Report("", FaultCode.WrongType, "The value has to be an object.");
        return null;
    }

    /// <summary>The name in a definition; null where it has none that a type can have.</summary>
    public static string? NameIn(JsonText definition, List<Fault> faults) =>
        new ObjectReader(definition.ToElement(), faults).Slug("name");

    /// <summary>
    /// A replacement, without what the server keeps: a client may send back what it was given. What it has changed of that is
    /// a fault.
    /// </summary>
    public static async Task<JsonText?> ReplacementAsync(
        HttpContext context,
        TypeDoor door,
        string type,
        JsonElement body,
        List<Fault> faults
    )
    {
        if (Definition(body, faults) is not { } definition)
            return null;
        if (!TypeDocument.Kept.Append(TypeDocument.Moving).Any(name => body.TryGetProperty(name, out _)))
            return definition;
        var reply = await door.GetAsync(context.Caller(), type);
        if (reply.Rejection is not null)
            return definition;
        var kept = JsonSerializer.SerializeToElement(TypeDocument.Of(reply), TypeJson.Default.TypeDocument);
        // Of another version other things are kept; that it is another one is the answer then.
        var isCurrent = EntityTags.Read(context.Request, []).IfMatchHolds(reply.Version);
        var given = (JsonObject)JsonNodes.From(body)!;
        given.Remove(TypeDocument.Moving);
        foreach (var name in TypeDocument.Kept)
            if (body.TryGetProperty(name, out var value))
            {
                if (isCurrent && !JsonElement.DeepEquals(value, kept.GetProperty(name)))
                    faults.Report(
                        "/" + name,
                        "READ_ONLY",
                        "The server keeps this member; send it unchanged, or not at all."
                    );
                given.Remove(name);
            }
        return JsonText.From(JsonNodes.ToElement(given));
    }
}
