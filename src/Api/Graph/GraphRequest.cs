using System.Text.Json;
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
                body.ValueKind is JsonValueKind.Array ? "Send one operation at a time." : "The value has to be an object."
            );
            return null;
        }
        var known = faults.Count;
        var request = new GraphRequest(
            Text("query"),
            Text("operationName"),
            Object("variables"),
            Object("extensions")
        );
        if (request.Query is null && faults.Count == known)
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

    /// <summary>The variables as the library takes them. Numbers that are no plain whole ones keep their digits.</summary>
    public GraphQL.Inputs Inputs() =>
        Variables is { } given ? new((Dictionary<string, object?>)Value(given)!) : GraphQL.Inputs.Empty;

    static object? Value(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Object => element.EnumerateObject().ToDictionary(each => each.Name, each => Value(each.Value)),
            JsonValueKind.Array => element.EnumerateArray().Select(Value).ToList(),
            JsonValueKind.String => element.GetString(),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => element.GetRawText() is var text && text is not "-0" && element.TryGetInt32(out var number)
                ? number
                : new WrittenNumber(text),
            _ => null,
        };
}
