using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Primitives;
using Resources.Grains;

namespace Resources.Api;

/// <summary>A request of GraphQL, however it came.</summary>
sealed record GraphRequest(string? Query, string? OperationName, JsonElement? Variables, JsonElement? Extensions)
{
    /// <summary>The longest id of a document.</summary>
    public const int MaxDocumentId = 255;

    /// <summary>How the ids of documents begin that are stored here; their hashes follow.</summary>
    const string OfHash = "sha256:";

    /// <summary>The id of a stored document, which is run in place of a query.</summary>
    public string? DocumentId { get; init; }

    /// <summary>Whether it runs a document by its id.</summary>
    public bool IsOfDocument => DocumentId is not null;

    /// <summary>What is wrong with how it names its document; null where nothing is.</summary>
    public Fault? FaultOfDocument =>
        Query is null && DocumentId is null && Hash is null
            ? new("/query", FaultCode.Required, "A request needs a query, or the id of a stored document.")
        : Query is not null && DocumentId is not null
            ? new("/documentId", "CONTRADICTION", "A request has a query or the id of a document, not both.")
        : null;

    /// <summary>Reads a request from its JSON; the list has its faults.</summary>
    public static GraphRequest? Read(JsonElement body, List<Fault> faults)
    {
        if (body.ValueKind is not JsonValueKind.Object)
        {
            faults.Report(
                "",
                FaultCode.WrongType,
                body.ValueKind is JsonValueKind.Array
                    ? "Send one operation at a time."
                    : "The value has to be an object."
            );
            return null;
        }
        var known = faults.Count;
        foreach (var member in body.EnumerateObject())
            if (member.Name is not ("query" or "documentId" or "operationName" or "variables" or "extensions"))
                faults.Report(
                    JsonPointer.Append("", member.Name),
                    FaultCode.UnknownMember,
                    "A request has query or documentId, and operationName, variables and extensions."
                );
        var request = new GraphRequest(Text("query"), Text("operationName"), Object("variables"), Object("extensions"))
        {
            DocumentId = Text("documentId"),
        };
        if (faults.Count == known && request.FaultOfDocument is { } fault)
            faults.Add(fault);
        return faults.Count == known ? request : null;

        string? Text(string name)
        {
            if (!body.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null)
                return null;
            if (value.ValueKind is JsonValueKind.String)
                return value.GetString();
            faults.Report("/" + name, FaultCode.WrongType, "The value has to be a string.");
            return null;
        }

        JsonElement? Object(string name)
        {
            if (!body.TryGetProperty(name, out var value) || value.ValueKind is JsonValueKind.Null)
                return null;
            if (value.ValueKind is JsonValueKind.Object)
                return value.Clone();
            faults.Report("/" + name, FaultCode.WrongType, "The value has to be an object.");
            return null;
        }
    }

    /// <summary>The position that what is read must have passed, where the extensions say one.</summary>
    public long? MinPosition =>
        Extension("minPosition") is { } text
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? position
            : null;

    /// <summary>The parameter of lists that says how new they have to be, where the extensions say it.</summary>
    public IQueryCollection Consistency =>
        Extension("consistency") is { } text
            ? new QueryCollection(new Dictionary<string, StringValues> { ["consistency"] = text })
            : QueryCollection.Empty;

    string? Extension(string name) =>
        Extensions is { } given && given.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>The hash by which it names its document, or that of the document it sends; null where it has none.</summary>
    public string? Hash =>
        IsOfDocument
            ? DocumentId!.StartsWith(OfHash, StringComparison.Ordinal)
                ? Hashed(DocumentId[OfHash.Length..])
                : null
            : Extensions is { } given
            && given.TryGetProperty("persistedQuery", out var persisted)
            && persisted.ValueKind is JsonValueKind.Object
            && persisted.TryGetProperty("sha256Hash", out var hash)
            && hash.ValueKind is JsonValueKind.String
                ? Hashed(hash.GetString()!)
                : null;

    /// <summary>A text that is a hash; null where it is none.</summary>
    public static string? Hashed(string text) => text.Length is 64 && text.All(char.IsAsciiHexDigitLower) ? text : null;

    /// <summary>The variables as the library takes them. Numbers that are no plain whole ones keep their digits.</summary>
    public GraphQL.Inputs Inputs() =>
        Variables is { } given ? new((Dictionary<string, object?>)Value(given)!) : GraphQL.Inputs.Empty;

    static object? Value(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element
                .EnumerateObject()
                .ToDictionary(each => each.Name, each => Value(each.Value)),
            JsonValueKind.Array => element.EnumerateArray().Select(Value).ToList(),
            JsonValueKind.String => element.GetString(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => element.GetRawText() is var text
            && text is not "-0"
            && element.TryGetInt32(out var number)
                ? number
                : new WrittenNumber(text),
            _ => null,
        };
}
