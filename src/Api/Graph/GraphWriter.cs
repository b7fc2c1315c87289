using System.Collections;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using GraphQL.Execution;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Writes the data of an answer. Values of resources are written as the bytes that are stored.</summary>
sealed class GraphWriter(Utf8JsonWriter json, GraphErrors errors)
{
    /// <summary>The largest answer.</summary>
    public const int MaxBytes = 32 << 20;

    static readonly UtcTime Time = new();

    /// <summary>The data of an operation.</summary>
    public void Write(object? data)
    {
        if (data is ExecutionNode node)
            Write(node);
        else
            json.WriteNullValue();
    }

    void Write(ExecutionNode node)
    {
        if (json.BytesCommitted + json.BytesPending > MaxBytes)
            throw new AnswerTooLargeException();
        switch (node)
        {
            case RowNode { Plan: { } plan, SubFields: { } nodes, Result: ResourceRow row }:
                Write(plan, row, nodes, node);
                break;
            case RowNode { Plan: { } plan, SubFields: { } nodes, Result: JsonElement element }:
                Write(plan, element, nodes, node);
                break;
            case ObjectExecutionNode { SubFields: { } members }:
                json.WriteStartObject();
                foreach (var member in members)
                {
                    json.WritePropertyName(member.Name!);
                    Write(member);
                }
                json.WriteEndObject();
                break;
            case ArrayExecutionNode { Items: { } items }:
                json.WriteStartArray();
                foreach (var item in items)
                    Write(item);
                json.WriteEndArray();
                break;
            case ArrayExecutionNode { SerializedResult: { } list }:
                WriteValue(list);
                break;
            case ValueExecutionNode value:
                WriteValue(value.Result);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    void Write(RowPlan plan, ResourceRow row, ExecutionNode[] nodes, ExecutionNode at)
    {
        json.WriteStartObject();
        foreach (var entry in plan.Entries)
        {
            json.WritePropertyName(entry.Key);
            switch (entry)
            {
                case RowPlan.Row { Value: RowValue.Metadata, Inner: { } inner }:
                    Write(inner, row.Resource.Metadata.ToElement(), [], at, entry.Key);
                    break;
                case RowPlan.Row { Value: var value }:
                    Write(row, value);
                    break;
                case RowPlan.TypeName { Name: var name }:
                    json.WriteStringValue(name);
                    break;
                case RowPlan.Node { At: var number }:
                    Write(nodes[number]);
                    break;
            }
        }
        json.WriteEndObject();
    }

    void Write(RowPlan plan, JsonElement element, ExecutionNode[] nodes, ExecutionNode at, params object[] path)
    {
        json.WriteStartObject();
        foreach (var entry in plan.Entries)
        {
            json.WritePropertyName(entry.Key);
            switch (entry)
            {
                case RowPlan.Member { What: var member, Inner: var inner }:
                    if (element.TryGetProperty(member.Property, out var value))
                        Write(member, inner, value, at, [.. path, entry.Key]);
                    else
                        json.WriteNullValue();
                    break;
                case RowPlan.TypeName { Name: var name }:
                    json.WriteStringValue(name);
                    break;
                case RowPlan.Node { At: var number }:
                    Write(nodes[number]);
                    break;
            }
        }
        json.WriteEndObject();
    }

    void Write(GraphMember member, RowPlan? inner, JsonElement value, ExecutionNode at, object[] path)
    {
        if (!member.IsList)
        {
            WriteOne(member, inner, value, at, path);
            return;
        }
        if (value.ValueKind is not JsonValueKind.Array)
        {
            WriteUnfit(value, at, path);
            return;
        }
        json.WriteStartArray();
        var number = 0;
        foreach (var item in value.EnumerateArray())
            WriteOne(member, inner, item, at, [.. path, number++]);
        json.WriteEndArray();
    }

    void WriteOne(GraphMember member, RowPlan? inner, JsonElement value, ExecutionNode at, object[] path)
    {
        if (!Fits(member, value))
            WriteUnfit(value, at, path);
        else if (inner is null)
            json.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
        else
            Write(inner, value, [], at, path);
    }

    /// <summary>Past versions, and resources under a migration, may have what their type does not allow.</summary>
    static bool Fits(GraphMember member, JsonElement value) =>
        member.Kind switch
        {
            GraphKind.Any => true,
            GraphKind.Text or GraphKind.Time => value.ValueKind is JsonValueKind.String,
            GraphKind.Truth => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            GraphKind.Int => value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out _),
            GraphKind.Integer or GraphKind.Number => value.ValueKind is JsonValueKind.Number,
            GraphKind.Choice => value.ValueKind is JsonValueKind.String && member.Choices.Contains(value.GetString()!),
            _ => value.ValueKind is JsonValueKind.Object,
        };

    void WriteUnfit(JsonElement value, ExecutionNode at, object[] path)
    {
        json.WriteNullValue();
        if (value.ValueKind is not JsonValueKind.Null)
            errors.AddUnfit([
                .. at.ResponsePath,
                .. path.Select(step => step is JsonEncodedText key ? key.Value : step),
            ]);
    }

    void Write(ResourceRow row, RowValue value)
    {
        var resource = row.Resource;
        switch (value)
        {
            case RowValue.Id:
                json.WriteStringValue(row.Id);
                break;
            case RowValue.Type:
                json.WriteStringValue(resource.Type);
                break;
            case RowValue.Name:
                json.WriteStringValue(resource.Name);
                break;
            case RowValue.Status:
                json.WriteStringValue(resource.Status);
                break;
            case RowValue.Owner:
                json.WriteStringValue(resource.Owner);
                break;
            case RowValue.Version:
                json.WriteNumberValue(row.Version);
                break;
            case RowValue.TypeVersion:
                if (resource.TypeVersion is { } version)
                    json.WriteNumberValue(version);
                else
                    json.WriteNullValue();
                break;
            case RowValue.CreatedAt:
                Time.Write(json, resource.CreatedAt, JsonSerializerOptions.Default);
                break;
            case RowValue.CreatedBy:
                json.WriteStringValue(resource.CreatedBy);
                break;
            case RowValue.UpdatedAt:
                Time.Write(json, resource.UpdatedAt, JsonSerializerOptions.Default);
                break;
            case RowValue.UpdatedBy:
                json.WriteStringValue(resource.UpdatedBy);
                break;
            case RowValue.DeletedAt:
                if (resource.DeletedAt is { } time)
                    Time.Write(json, time, JsonSerializerOptions.Default);
                else
                    json.WriteNullValue();
                break;
            default:
                resource.Metadata.WriteTo(json);
                break;
        }
    }

    void WriteValue(object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case bool truth:
                json.WriteBooleanValue(truth);
                break;
            case int number:
                json.WriteNumberValue(number);
                break;
            case long number:
                json.WriteNumberValue(number);
                break;
            case JsonElement element:
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(element), skipInputValidation: true);
                break;
            case DateTimeOffset time:
                Time.Write(json, time, JsonSerializerOptions.Default);
                break;
            case JsonText text:
                text.WriteTo(json);
                break;
            case IDictionary<string, object?> members:
                json.WriteStartObject();
                foreach (var (name, member) in members)
                {
                    json.WritePropertyName(name);
                    WriteValue(member);
                }
                json.WriteEndObject();
                break;
            case IEnumerable items:
                json.WriteStartArray();
                foreach (var item in items)
                    WriteValue(item);
                json.WriteEndArray();
                break;
            default:
                json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}

/// <summary>An answer would have more than <see cref="GraphWriter.MaxBytes"/>.</summary>
sealed class AnswerTooLargeException : Exception;
