using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Primitives;
using Resources.Grains;

namespace Resources.Api;

/// <summary>A request of GraphQL, however it came.</summary>
sealed record GraphRequest(string? Query, string? OperationName, JsonElement? Variables, JsonElement? Extensions)
{
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
            if (member.Name is not ("query" or "operationName" or "variables" or "extensions"))
                faults.Report(
                    JsonPointer.Append("", member.Name),
                    FaultCode.UnknownMember,
                    "A request has query, operationName, variables and extensions."
                );
        var request = new GraphRequest(Text("query"), Text("operationName"), Object("variables"), Object("extensions"));
        if (request is { Query: null, Hash: null } && faults.Count == known)
            faults.Report("/query", FaultCode.Required, "A request needs a query.");
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

    /// <summary>The hash by which a client of persisted queries names its document; null where it names none.</summary>
    public string? Hash =>
        Extensions is { } given
        && given.TryGetProperty("persistedQuery", out var persisted)
        && persisted.ValueKind is JsonValueKind.Object
        && persisted.TryGetProperty("sha256Hash", out var hash)
        && hash.ValueKind is JsonValueKind.String
        && hash.GetString() is { Length: 64 } text
        && text.All(char.IsAsciiHexDigitLower)
            ? text
            : null;

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
