using System.Text;
using GraphQL;
using GraphQL.Types;
using Resources.Grains;

namespace Resources.Api;

/// <summary>A field of a condition: what the filter of lists calls it.</summary>
sealed class WhereField : FieldType
{
    public required string Path { get; init; }
}

/// <summary>
/// Typed conditions on lists. Each is a filter of REST in another form, and is read as one: limits, indexes and meaning
/// are the same.
/// </summary>
/// <param name="choiceOf">The enum of a member whose texts are names.</param>
sealed class GraphWheres(GraphScalars scalars, Func<GraphMember, IGraphType> choiceOf)
{
    readonly List<IGraphType> all = [];
    readonly Dictionary<string, InputObjectGraphType> comparisons = [];

    public IReadOnlyList<IGraphType> All => all;

    /// <summary>What a list takes.</summary>
    public InputObjectGraphType Of(string name, IReadOnlyList<GraphMember> members)
    {
        var where = New(name + "Where");
        var several = new ListGraphType(GraphTypes.Some(where));
        where.AddField(new() { Name = "and", ResolvedType = several });
        where.AddField(new() { Name = "or", ResolvedType = several });
        where.AddField(new() { Name = "not", ResolvedType = where });
        foreach (var field in new[] { "name", "status", "owner", "createdBy", "updatedBy" })
            where.AddField(Field(field, field, Texts));
        where.AddField(Field("id", "id", Ids));
        where.AddField(Field("version", "version", Numbers));
        where.AddField(Field("createdAt", "createdAt", Times));
        where.AddField(Field("updatedAt", "updatedAt", Times));
        if (members is not [])
            where.AddField(Field("metadata", "metadata", Object(name + "MetadataWhere", members)));
        return where;
    }

    InputObjectGraphType Object(string name, IReadOnlyList<GraphMember> members)
    {
        var where = New(name);
        var names = members.Select(member => member.Name).ToHashSet();
        foreach (var member in members.Where(each => each.Reference is null || names.Add(each.NameOfInput)))
            where.AddField(
                Field(
                    member.NameOfInput,
                    Quoted(member.Property, isPattern: false),
                    member.IsList ? Lists(member)
                        : member.Kind is GraphKind.Object ? Object(name + "_" + member.Name, member.Members)
                        : member.Reference is not null ? Ids
                        : member.Kind is GraphKind.Choice
                            ? Known(member.TypeName + "Where", choiceOf(member), "eq", "ne", "in")
                        : Comparison(member.Kind)
                )
            );
        return where;
    }

    InputObjectGraphType Comparison(GraphKind kind) =>
        kind switch
        {
            GraphKind.Int or GraphKind.Integer or GraphKind.Number => Numbers,
            GraphKind.Truth => Known("TruthWhere", scalars.Truth, "eq", "ne"),
            GraphKind.Time => Times,
            GraphKind.Any => Known("JSONWhere", scalars.Json, "eq", "ne", "has"),
            _ => Texts,
        };

    /// <summary>Of a list it is asked whether it has a value; of one of objects, whether it is there.</summary>
    InputObjectGraphType Lists(GraphMember member) =>
        member.Kind is GraphKind.Object
            ? Known("ObjectsWhere", scalars.Json)
            : Known(
                member.Kind switch
                {
                    GraphKind.Int or GraphKind.Integer or GraphKind.Number => "NumbersWhere",
                    GraphKind.Truth => "TruthsWhere",
                    GraphKind.Choice => member.TypeName + "sWhere",
                    _ => "TextsWhere",
                },
                member.Kind is GraphKind.Choice ? choiceOf(member) : scalars.Of(member.Kind),
                "has"
            );

    InputObjectGraphType Texts => Known("TextWhere", scalars.Text, "eq", "ne", "in", "like", "lt", "lte", "gt", "gte");

    InputObjectGraphType Numbers => Known("NumberWhere", scalars.Number, "eq", "ne", "in", "lt", "lte", "gt", "gte");

    InputObjectGraphType Times => Known("TimeWhere", scalars.Time, "eq", "ne", "lt", "lte", "gt", "gte");

    InputObjectGraphType Ids => Known("IDWhere", scalars.Id, "eq", "ne", "in");

    InputObjectGraphType Known(string name, IGraphType value, params string[] operators)
    {
        if (comparisons.TryGetValue(name, out var known))
            return known;
        var comparison = comparisons[name] = New(name);
        foreach (var each in operators)
            comparison.AddField(
                new() { Name = each, ResolvedType = each is "in" ? new ListGraphType(GraphTypes.Some(value)) : value }
            );
        comparison.AddField(new() { Name = "isNull", ResolvedType = scalars.Truth });
        return comparison;
    }

    InputObjectGraphType New(string name)
    {
        var made = new InputObjectGraphType { Name = name };
        all.Add(made);
        return made;
    }

    static WhereField Field(string name, string path, IGraphType type) =>
        new()
        {
            Name = name,
            ResolvedType = type,
            Path = path,
        };

    /// <summary>The filter that a condition is; "" where it asks for nothing.</summary>
    public static string Filter(IDictionary<string, object?> where, IGraphType form) =>
        string.Join(" AND ", Conditions(where, (InputObjectGraphType)form.GetNamedType(), ""));

    static IEnumerable<string> Conditions(IDictionary<string, object?> where, InputObjectGraphType form, string path)
    {
        foreach (var (name, value) in where)
            switch (form.GetField(name))
            {
                case WhereField { ResolvedType: InputObjectGraphType inner } field
                    when value is IDictionary<string, object?> members:
                    foreach (
                        var condition in Conditions(members, inner, path is "" ? field.Path : $"{path}.{field.Path}")
                    )
                        yield return condition;
                    break;
                case { Name: "not" } field when value is IDictionary<string, object?> members:
                    if (Filter(members, field.ResolvedType!) is not "" and var negated)
                        yield return $"NOT ({negated})";
                    break;
                case { Name: "and" or "or" } field when value is IEnumerable<object?> several:
                    var parts = several
                        .OfType<IDictionary<string, object?>>()
                        .Select(each => Filter(each, field.ResolvedType!))
                        .Where(part => part is not "")
                        .Select(part => $"({part})")
                        .ToArray();
                    if (parts is not [])
                        yield return name is "and" ? string.Join(" AND ", parts) : $"({string.Join(" OR ", parts)})";
                    break;
                case { Name: "isNull" }:
                    if (value is bool isNull)
                        yield return isNull ? $"({path} = null OR NOT {path}:*)" : $"({path}:* AND {path} != null)";
                    break;
                case not null when value is null && name is "eq" or "ne":
                    yield return name is "eq" ? $"({path} = null OR NOT {path}:*)" : $"({path}:* AND {path} != null)";
                    break;
                case { Name: "in" } when value is IEnumerable<object?> values:
                    yield return $"{path} = ({string.Join(" OR ", values.Select(each => Text(each, false)))})";
                    break;
                case not null when value is not null:
                    yield return $"{path} {Operator(name)} {Text(value, name is "like")}";
                    break;
            }
    }

    static string Operator(string name) =>
        name switch
        {
            "ne" => "!=",
            "lt" => "<",
            "lte" => "<=",
            "gt" => ">",
            "gte" => ">=",
            "has" => ":",
            _ => "=",
        };

    /// <summary>A value as a filter has it.</summary>
    static string Text(object? value, bool isPattern) =>
        value switch
        {
            null => "null",
            true => "true",
            false => "false",
            WrittenNumber number => number.Text,
            int or long => FormattableString.Invariant($"{value}"),
            string text => Quoted(text, isPattern),
            _ => throw new RefusedError(
                ProblemType.ValidationFailed,
                "A condition compares texts, numbers and truth values."
            ),
        };

    /// <summary>A text as a filter has it.</summary>
    internal static string Quoted(string text, bool isPattern)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            if (c is '"' or '\\' || c is '*' && !isPattern)
                quoted.Append('\\');
            quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }
}
