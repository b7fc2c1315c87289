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
sealed class GraphQueries(Cursors cursors)
{
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

    static FieldType One(string name, IGraphType type, string? of, GraphScalars scalars) =>
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

    public FieldType Many(TypeDefinition definition, IGraphType type, IGraphType sort, GraphScalars scalars) =>
        new ListField
        {
            Name = GraphNames.FieldOf(definition.Plural),
            ResolvedType = GraphTypes.Some(type),
            Arguments = [.. Arguments(scalars, sort)],
            Resolver = new FuncFieldResolver<object>(async context => await ListAsync(context, definition.Name)),
        };

    static IEnumerable<QueryArgument> Arguments(GraphScalars scalars, IGraphType sort) =>
        [
            new(new ListGraphType(GraphTypes.Some(scalars.Text))) { Name = "status" },
            new(scalars.Id) { Name = "owner" },
            new(scalars.Text) { Name = "q" },
            new(scalars.Text) { Name = "filter" },
            new(new ListGraphType(GraphTypes.Some(sort is StringGraphType ? scalars.Text : sort))) { Name = "sort" },
            new(scalars.Int) { Name = "first", DefaultValue = 20 },
            new(scalars.Text) { Name = "after" },
            new(scalars.Truth) { Name = "includeDeleted", DefaultValue = false },
        ];

    static async Task<ResourceRow?> GetAsync(IResolveFieldContext context, string? type)
    {
        if (!Ids.TryParse(Convert.ToString(context.GetArgument<object>("id"), CultureInfo.InvariantCulture)!, out var id))
            return null;
        var row = await Operation(context).Reads.GetAsync(id, null);
        return type is null || row?.Resource.Type == type ? row : null;
    }

    async Task<GraphPage> ListAsync(IResolveFieldContext context, string? type)
    {
        var operation = Operation(context);
        var given = new Dictionary<string, StringValues>();
        void Give(string argument, string parameter)
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
        Give("type", "type");
        if (type is not null)
            given["type"] = type;
        foreach (var name in new[] { "status", "owner", "q", "filter", "sort", "includeDeleted" })
            Give(name, name);
        Give("first", "limit");
        Give("after", "cursor");
        if (given.TryGetValue("includeDeleted", out var deleted) && deleted == "false")
            given.Remove("includeDeleted");
        if (context.SubFields?.Values.Any(each => each.FieldType is CountField) is true)
            given["count"] = "exact";
        var query = new QueryReader(new QueryCollection(given));
        var list = ListRequest.Read(query, operation.Caller, cursors, null, null);
        if (query.Faults is not [])
            throw new RefusedError(ProblemType.ValidationFailed, Problems.Summary(query.Faults), [.. query.Faults.Select(Named)]);
        if (list.LacksDeleted)
            throw new RefusedError(
                ProblemType.Forbidden,
                $"includeDeleted needs the permission {Permissions.ResourceReadDeleted}."
            );
        var page = await operation.Reads.ListAsync(list);
        if (page.Memory is { } memory)
            ResponseMemory.Hold(operation.Http, memory);
        return new(
            [.. page.Rows.Take(list.Limit)],
            page.IsCut || page.Rows.Count > list.Limit,
            list.After is not null,
            page.Count,
            row => cursors.Write(list.Sort.PlaceOf(row), list.SelectionName)
        );
    }

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

    static GraphOperation Operation(IResolveFieldContext context) => (GraphOperation)context.UserContext;
}
