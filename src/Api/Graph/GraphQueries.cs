using System.Globalization;
using System.Text.Json;
using GraphQL;
using GraphQL.Resolvers;
using GraphQL.Types;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The fields of queries.</summary>
sealed class GraphQueries(Cursors cursors, ResourceDoor door)
{
    public const int StandardPage = 20;
    public const int MaxPage = 200;

    public FieldType Node(IGraphType type, GraphScalars scalars) =>
        new()
        {
            Name = "node",
            ResolvedType = type,
            Arguments = [new(GraphTypes.Some(scalars.Id)) { Name = "id" }],
            Resolver = new FuncFieldResolver<object>(async context => await GetAsync(context, null)),
        };

    public FieldType Resource(IGraphType type, GraphScalars scalars) => One("resource", type, null, scalars);

    public FieldType One(TypeDefinition definition, IGraphType type, GraphScalars scalars) =>
        One(GraphNames.FieldOf(definition.Name), type, definition.Name, scalars);

    FieldType One(string name, IGraphType type, string? of, GraphScalars scalars) =>
        new()
        {
            Name = name,
            ResolvedType = type,
            Arguments =
            [
                new(GraphTypes.Some(scalars.Id)) { Name = "id" },
                new(scalars.Integer) { Name = "version" },
                new(scalars.Text) { Name = "at" },
            ],
            Resolver = new FuncFieldResolver<object>(async context => await GetAsync(context, of)),
        };

    public FieldType Resources(IGraphType type, GraphScalars scalars) =>
        new ListField
        {
            Name = "resources",
            ResolvedType = GraphTypes.Some(type),
            Arguments = [new(scalars.Text) { Name = "type" }, .. Arguments(scalars, new StringGraphType())],
            Resolver = new FuncFieldResolver<object>(async context => await ListAsync(context, null)),
        };

    public FieldType Many(
        TypeDefinition definition,
        IGraphType type,
        IGraphType sort,
        IGraphType where,
        GraphScalars scalars
    ) =>
        new ListField
        {
            Name = GraphNames.FieldOf(definition.Plural),
            ResolvedType = GraphTypes.Some(type),
            Arguments = [.. Arguments(scalars, sort), new(where) { Name = "where" }],
            Resolver = new FuncFieldResolver<object>(async context => await ListAsync(context, definition.Name)),
        };

    static IEnumerable<QueryArgument> Arguments(GraphScalars scalars, IGraphType sort) =>
        [
            new(new ListGraphType(GraphTypes.Some(scalars.Text))) { Name = "status" },
            new(scalars.Id) { Name = "owner" },
            new(scalars.Text) { Name = "q" },
            new(scalars.Text) { Name = "filter" },
            new(new ListGraphType(GraphTypes.Some(sort is StringGraphType ? scalars.Text : sort))) { Name = "sort" },
            new(scalars.Int) { Name = "first", DefaultValue = StandardPage },
            new(scalars.Text) { Name = "after" },
            new(scalars.Truth) { Name = "includeDeleted", DefaultValue = false },
        ];

    async Task<ResourceRow?> GetAsync(IResolveFieldContext context, string? type)
    {
        if (
            !Ids.TryParse(
                Convert.ToString(context.GetArgument<object>("id"), CultureInfo.InvariantCulture)!,
                out var id
            )
        )
            return null;
        var operation = Operation(context);
        var given = new Dictionary<string, StringValues>();
        foreach (var name in new[] { "version", "at" })
            if (context.Arguments!.TryGetValue(name, out var value) && value.Value is { } set)
                given[name] = set is WrittenNumber number ? number.Text : (string)set;
        var query = new QueryReader(new QueryCollection(given));
        var moment = await PointInTime.ReadAsync(operation.Http, query, door);
        if (query.Faults is not [])
            throw Invalid(query);
        var row = await operation.Reads.GetAsync(id, moment);
        return type is null || row?.Resource.Type == type ? row : null;
    }

    async Task<GraphPage> ListAsync(IResolveFieldContext context, string? type)
    {
        var operation = Operation(context);
        var given = Given(context, type);
        Give(context, given, "first", "limit");
        Give(context, given, "after", "cursor");
        if (context.SubFields?.Values.Any(each => each.FieldType is CountField) is true)
            given["count"] = "exact";
        var list = Read(given, operation.Caller);
        var page = await operation.Reads.ListAsync(list);
        if (page.Memory is { } memory)
            operation.Hold(memory);
        return new(
            [.. page.Rows.Take(list.Limit)],
            page.IsCut || page.Rows.Count > list.Limit,
            list.After is not null,
            page.Count,
            row => cursors.Write(list.Sort.PlaceOf(row), list.SelectionName)
        );
    }

    /// <summary>What the arguments of a field select of a type, as a list that is followed.</summary>
    public ListRequest Selected(IResolveFieldContext context, string type) =>
        Read(Given(context, type), Operation(context).Caller);

    ListRequest Read(Dictionary<string, StringValues> given, Caller caller)
    {
        var query = new QueryReader(new QueryCollection(given));
        var list = ListRequest.Read(query, caller, cursors, null, null);
        if (query.Faults is not [])
            throw Invalid(query);
        if (list.LacksDeleted)
            throw new RefusedError(
                ProblemType.Forbidden,
                $"includeDeleted needs the permission {Permissions.ResourceReadDeleted}."
            );
        return list;
    }

    /// <summary>What the arguments of a field select, as the parameters that a list of REST takes.</summary>
    static Dictionary<string, StringValues> Given(IResolveFieldContext context, string? type)
    {
        var given = new Dictionary<string, StringValues>();
        foreach (var name in new[] { "type", "owner", "q", "sort", "includeDeleted" })
            Give(context, given, name, name);
        if (type is not null)
            given["type"] = type;
        var filters = Filters(context).ToArray();
        if (filters is not [])
            given["filter"] = filters is [var only] ? only : string.Join(" AND ", filters.Select(each => $"({each})"));
        if (Statuses(context) is [var one])
            given["status"] = one;
        if (given.TryGetValue("includeDeleted", out var deleted) && deleted == "false")
            given.Remove("includeDeleted");
        return given;
    }

    static void Give(
        IResolveFieldContext context,
        Dictionary<string, StringValues> given,
        string argument,
        string parameter
    )
    {
        if (context.Arguments?.TryGetValue(argument, out var value) is true && value.Value is { } set)
            given[parameter] = set switch
            {
                true => "true",
                false => "false",
                IEnumerable<object> many => string.Join(',', many),
                _ => Convert.ToString(set, CultureInfo.InvariantCulture),
            };
    }

    static string[] Statuses(IResolveFieldContext context) =>
        context.Arguments?.TryGetValue("status", out var given) is true && given.Value is IEnumerable<object> all
            ? [.. all.Cast<string>()]
            : [];

    /// <summary>The filters that the arguments of a list are.</summary>
    static IEnumerable<string> Filters(IResolveFieldContext context)
    {
        if (context.GetArgument<string?>("filter") is { } filter && filter.AsSpan().Trim() is not "")
            yield return filter;
        if (Statuses(context) is [_, _, ..] and var states)
            yield return $"status = ({string.Join(" OR ", states.Select(state => GraphWheres.Quoted(state, false)))})";
        if (
            context.Arguments!.TryGetValue("where", out var where)
            && where.Value is IDictionary<string, object?> conditions
            && GraphWheres.Filter(conditions, context.FieldDefinition.Arguments!.Find("where")!.ResolvedType!)
                is not ""
                    and var text
        )
            yield return text;
    }

    static RefusedError Invalid(QueryReader query) =>
        new(ProblemType.ValidationFailed, Problems.Summary(query.Faults), [.. query.Faults.Select(Named)]);

    /// <summary>A fault of a parameter as one of the argument that it is here.</summary>
    static Fault Named(Fault fault) =>
        fault with
        {
            Pointer = fault.Pointer switch
            {
                "?limit" => "/first",
                "?cursor" => "/after",
                ['?', .. var name] => "/" + name,
                var pointer => pointer,
            },
        };

    /// <summary>What a member refers to.</summary>
    public static object? Refer(IResolveFieldContext context, GraphMember member, string type)
    {
        if (
            !((JsonElement)context.Source!).TryGetProperty(member.Property, out var value)
            || value.ValueKind is JsonValueKind.Null
        )
            return null;
        IEnumerable<JsonElement> given = value.ValueKind is JsonValueKind.Array ? value.EnumerateArray() : [value];
        var ids = given
            .Select(each => each.ValueKind is JsonValueKind.String && each.TryGetGuid(out var id) ? id : Guid.Empty)
            .Where(id => id != Guid.Empty)
            .ToArray();
        return Operation(context).Reads.Refer(ids, type, member.IsList);
    }

    /// <summary>The field of a type that lists what refers to a resource of it.</summary>
    public FieldType Inverse(string name, string type, ReferenceRule rule, IGraphType connection, GraphScalars scalars)
    {
        var asked = DerivedId.Of("inverse", type, rule.Pointer);
        var path = string.Join('/', JsonPointer.Parse(rule.Pointer)![1..]);
        return new ListField
        {
            Name = name,
            ResolvedType = GraphTypes.Some(connection),
            Arguments =
            [
                new(scalars.Int) { Name = "first", DefaultValue = StandardPage },
                new(scalars.Text) { Name = "after" },
            ],
            Resolver = new FuncFieldResolver<object>(context =>
            {
                var first = context.GetArgument<int?>("first") ?? StandardPage;
                if (first < 1)
                    throw new RefusedError(
                        ProblemType.ValidationFailed,
                        "first takes a whole number from 1.",
                        [new("/first", "INVALID_PARAMETER", "first takes a whole number from 1.")]
                    );
                var after = (object[]?)null;
                if (
                    context.Arguments!["after"].Value is string cursor
                    && (after = cursors.Read(cursor, ResourceSort.Newest, asked)) is null
                )
                    throw new RefusedError(
                        ProblemType.ValidationFailed,
                        "after is not one that a page of this list has given.",
                        [new("/after", "INVALID_PARAMETER", "after is not one that a page of this list has given.")]
                    );
                return Operation(context)
                    .Reads.Referring(
                        ((ResourceRow)context.Source!).Id,
                        new(
                            type,
                            path,
                            after is null ? null : ((DateTimeOffset)after[0], (Guid)after[1]),
                            Math.Min(first, MaxPage),
                            row => cursors.Write(ResourceSort.Newest.PlaceOf(row), asked)
                        )
                    );
            }),
        };
    }

    static GraphOperation Operation(IResolveFieldContext context) => (GraphOperation)context.UserContext;
}
