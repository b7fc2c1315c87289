using System.Buffers;
using System.Text.Json;
using GraphQL;
using GraphQL.Types;
using Resources.Grains;

namespace Resources.Api;

/// <summary>A field of an input that is a member of the metadata.</summary>
sealed class MemberInput : FieldType
{
    public required GraphMember Member { get; init; }
}

/// <summary>
/// The inputs of mutations: the bodies of REST in the form of their type. They are only a form; whoever takes the body
/// checks what is in it.
/// </summary>
/// <param name="choiceOf">The enum of a member whose texts are names.</param>
sealed class GraphInputs(GraphScalars scalars, Func<GraphMember, IGraphType> choiceOf)
{
    readonly List<IGraphType> all = [];

    public IReadOnlyList<IGraphType> All => all;

    /// <summary>What a create or a replacement takes.</summary>
    public InputObjectGraphType Whole(string name, IReadOnlyList<GraphMember> members, bool hasType) =>
        Of(name + "Input", name + "MetadataInput", members, hasType, isWhole: true);

    /// <summary>What a patch takes: null removes, and what is not given stays.</summary>
    public InputObjectGraphType Patch(string name, IReadOnlyList<GraphMember> members) =>
        Of(name + "Patch", name + "MetadataPatch", members, hasType: false, isWhole: false);

    InputObjectGraphType Of(
        string name,
        string metadata,
        IReadOnlyList<GraphMember> members,
        bool hasType,
        bool isWhole
    )
    {
        var type = new InputObjectGraphType { Name = name };
        if (hasType)
            type.AddField(new() { Name = "type", ResolvedType = scalars.Text });
        type.AddField(new() { Name = "name", ResolvedType = isWhole ? GraphTypes.Some(scalars.Text) : scalars.Text });
        type.AddField(new() { Name = "status", ResolvedType = scalars.Text });
        if (members is not [])
            type.AddField(new() { Name = "metadata", ResolvedType = Object(metadata, members) });
        type.AddField(new() { Name = "metadataJson", ResolvedType = scalars.Json });
        all.Add(type);
        return type;
    }

    InputObjectGraphType Object(string name, IReadOnlyList<GraphMember> members)
    {
        var type = new InputObjectGraphType { Name = name };
        var names = members.Select(member => member.Name).ToHashSet();
        foreach (var member in members)
        {
            var input = member.NameOfInput;
            if (member.Reference is not null && !names.Add(input))
                continue;
            var one =
                member.Reference is not null ? scalars.Id
                : member.Kind is GraphKind.Object ? Object(name + "_" + member.Name, member.Members)
                : member.Kind is GraphKind.Choice ? choiceOf(member)
                : (IGraphType)scalars.Of(member.Kind);
            type.AddField(
                new MemberInput
                {
                    Name = input,
                    ResolvedType = member.IsList ? new ListGraphType(one) : one,
                    Member = member,
                }
            );
        }
        all.Add(type);
        return type;
    }

    /// <summary>The body of REST that an input is.</summary>
    /// <param name="type">The type that the body names; null where it names none, or the input does.</param>
    public static byte[] Body(InputObjectGraphType form, IDictionary<string, object?> input, string? type = null)
    {
        if (input.ContainsKey("metadata") && input.ContainsKey("metadataJson"))
            throw new RefusedError(
                ProblemType.ValidationFailed,
                "Send metadata or metadataJson, not both.",
                [new("/metadataJson", "NOT_TOGETHER", "Send metadata or metadataJson, not both.")]
            );
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            if (type is not null)
                json.WriteString("type", type);
            foreach (var (name, value) in input)
            {
                json.WritePropertyName(name is "metadataJson" ? "metadata" : name);
                Write(json, value, form.GetField(name)?.ResolvedType);
            }
            json.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    static void Write(Utf8JsonWriter json, object? value, IGraphType? type)
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
            case WrittenNumber number:
                json.WriteRawValue(number.Text, skipInputValidation: true);
                break;
            case IDictionary<string, object?> members:
                var form = type?.GetNamedType() as InputObjectGraphType;
                json.WriteStartObject();
                foreach (var (name, member) in members)
                {
                    var field = form?.GetField(name);
                    json.WritePropertyName((field as MemberInput)?.Member.Property ?? name);
                    Write(json, member, field?.ResolvedType);
                }
                json.WriteEndObject();
                break;
            case System.Collections.IEnumerable items:
                json.WriteStartArray();
                foreach (var item in items)
                    Write(json, item, type);
                json.WriteEndArray();
                break;
            default:
                throw new InvalidOperationException($"An input cannot have a {value.GetType()}.");
        }
    }
}
