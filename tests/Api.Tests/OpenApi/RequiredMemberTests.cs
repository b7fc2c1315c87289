using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api.Tests;

/// <summary>What the OpenAPI document requires, compared with how documents are written. No answer need show it.</summary>
public sealed class RequiredMemberTests(Backend backend)
{
    static readonly Assembly[] Assemblies =
    [
        typeof(Server).Assembly,
        typeof(CloudEvent).Assembly,
        typeof(Fault).Assembly,
    ];

    [Fact]
    [Trait("Conformance", "C4")]
    public async Task Members_that_answers_leave_out_when_null_are_those_that_are_not_required()
    {
        var document = (await backend.Guest.GetAsync("/openapi/v1.json")).At("")!.Value;
        var schemas = document.GetProperty("components").GetProperty("schemas");
        var answered = new HashSet<string>();
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        foreach (var operation in path.Value.EnumerateObject())
            Collect(operation.Value.GetProperty("responses"), schemas, answered);
        Collect(document.GetProperty("components").GetProperty("responses"), schemas, answered);
        // Of these the members are those of others.
        answered.RemoveWhere(name => Regex.IsMatch(name, "^(Envelope|PartialOf)|DocumentOr|^JsonObject$"));

        Assert.Contains(nameof(CloudEvent), answered);
        foreach (var name in answered)
        {
            var type = Assert.Single(Assemblies.SelectMany(each => each.GetTypes()), type => type.Name == name);
            var schema = schemas.GetProperty(name);
            var required = schema.TryGetProperty("required", out var names)
                ? names.EnumerateArray().Select(each => each.GetString()!)
                : [];
            Assert.Equal(
                (name, string.Join(' ', LeftOut(type).Order(StringComparer.Ordinal))),
                (
                    name,
                    string.Join(
                        ' ',
                        schema
                            .GetProperty("properties")
                            .EnumerateObject()
                            .Select(member => member.Name)
                            .Except(required)
                            .Order(StringComparer.Ordinal)
                    )
                )
            );
        }
    }

    static IEnumerable<string> LeftOut(Type type) =>
        from member in type.GetProperties()
        where member.GetCustomAttribute<JsonIgnoreAttribute>() is { Condition: JsonIgnoreCondition.WhenWritingNull }
        select member.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
            ?? JsonNamingPolicy.CamelCase.ConvertName(member.Name);

    /// <summary>The names of all schemas to which an element refers, and to which those do.</summary>
    static void Collect(JsonElement element, JsonElement schemas, HashSet<string> found)
    {
        if (element.ValueKind is JsonValueKind.Array)
            foreach (var each in element.EnumerateArray())
                Collect(each, schemas, found);
        if (element.ValueKind is not JsonValueKind.Object)
            return;
        foreach (var member in element.EnumerateObject())
            if (member is { Name: "$ref", Value.ValueKind: JsonValueKind.String })
            {
                var name = member.Value.GetString()!.Split('/')[^1];
                if (schemas.TryGetProperty(name, out var schema) && found.Add(name))
                    Collect(schema, schemas, found);
            }
            else
                Collect(member.Value, schemas, found);
    }
}
