using System.Text;
using System.Text.Json;
using GraphQL;
using GraphQL.Resolvers;
using GraphQL.Types;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>
/// Makes the types of one schema. The library changes a type when it takes it into a schema, so each schema has all of
/// its types to itself.
/// </summary>
sealed class GraphTypes(IReadOnlyList<TypeDefinition> declared)
{
    readonly GraphScalars scalars = new();
    readonly Dictionary<string, RowType> rows = [];
    readonly List<IGraphType> more = [];
    readonly Dictionary<string, EnumerationGraphType> choices = [];

    /// <summary>The schema of the declared types and of all others.</summary>
    public ISchema Build(GraphQueries queries, GraphMutations mutations, GraphEvents events, GraphChanges changes)
    {
        var inputs = new GraphInputs(scalars, Choice);
        var wheres = new GraphWheres(scalars, Choice);
        var node = new InterfaceGraphType { Name = "Node", Description = "Whatever has an id." };
        node.AddField(new() { Name = "id", ResolvedType = Some(scalars.Id) });
        var resource = new InterfaceGraphType { Name = "Resource", Description = "A resource of any type." };
        var (happening, page) = GraphEvents.Types(scalars, more);
        foreach (var field in Common())
            resource.AddField(new() { Name = field.Name, ResolvedType = field.ResolvedType });
        var history = events.History(page, scalars);
        history.Resolver = null;
        resource.AddField(history);
        resource.AddResolvedInterface(node);
        var free = Row("FreeResource", "A resource of a type that nobody declared.");
        node.ResolveType = resource.ResolveType = value =>
            value is ResourceRow found ? rows.GetValueOrDefault(found.Resource.Type, free) : free;
        var query = new ObjectGraphType { Name = "Query" };
        var mutation = new ObjectGraphType { Name = "Mutation" };
        var connections = new Dictionary<string, ObjectGraphType<GraphPage>>();
        var conditions = new Dictionary<string, IGraphType>();
        foreach (var field in mutations.Of(null, [], resource, scalars, inputs, more))
            mutation.AddField(field);
        query.AddField(queries.Node(node, scalars));
        query.AddField(queries.Resource(resource, scalars));
        query.AddField(queries.Resources(Connection("Resource", resource), scalars));
        foreach (var type in declared)
        {
            var row = rows[type.Name] = Row(
                GraphNames.TypeOf(type.Name),
                type.Description ?? type.Title ?? $"A resource of the type {type.Name}."
            );
            var (members, _) = GraphMembers.Of(type);
            if (members is not [])
                row.AddField(
                    new RowField
                    {
                        Name = "metadata",
                        ResolvedType = Some(Members(row.Name + "Metadata", members)),
                        Value = RowValue.Metadata,
                        Resolver = new FuncFieldResolver<object>(context =>
                            ((ResourceRow)context.Source!).Resource.Metadata.ToElement()
                        ),
                    }
                );
            foreach (var field in mutations.Of(type, members, row, scalars, inputs, more))
                mutation.AddField(field);
            query.AddField(queries.One(type, row, scalars));
            var connection = connections[type.Name] = Connection(row.Name, row);
            var where = conditions[type.Name] = wheres.Of(row.Name, members);
            query.AddField(queries.Many(type, connection, Sort(type, row.Name), where, scalars));
        }
        foreach (var type in declared)
        foreach (var rule in type.References)
            if (
                rule.Inverse is { } inverse
                && rows.TryGetValue(rule.Type, out var target)
                && GraphNames.OfMember(inverse) is var name
                && target.GetField(name) is null
            )
                target.AddField(queries.Inverse(name, type.Name, rule, connections[type.Name], scalars));
        foreach (var field in GraphCatalogue.Fields(declared, scalars, more))
            query.AddField(field);
        query.AddField(events.Query(page, scalars));
        var subscription = new ObjectGraphType { Name = "Subscription" };
        foreach (var field in events.Subscriptions(declared, name => rows[name], happening, scalars, more))
            subscription.AddField(field);
        var steps = changes.Kinds(more);
        foreach (var type in declared)
            subscription.AddField(changes.Of(type, rows[type.Name], steps, conditions[type.Name], scalars, more));
        var schema = new GraphQL.Types.Schema(new NoServices(), runConfigurations: false)
        {
            Query = query,
            Mutation = mutation,
            Subscription = subscription,
            NameConverter = GraphQL.Conversion.DefaultNameConverter.Instance,
        };
        foreach (
            var type in scalars
                .All.Concat<IGraphType>([node, resource, free])
                .Concat(rows.Values)
                .Concat(more)
                .Concat(inputs.All)
                .Concat(wheres.All)
        )
            schema.RegisterType(type);
        schema.Initialize();
        return schema;

        RowType Row(string name, string description)
        {
            var row = new RowType { Name = name, Description = description };
            foreach (var field in Common())
                row.AddField(field);
            row.AddField(events.History(page, scalars));
            row.AddResolvedInterface(node);
            row.AddResolvedInterface(resource);
            return row;
        }
    }

    IEnumerable<RowField> Common() =>
        [
            Field("id", Some(scalars.Id), RowValue.Id),
            Field("type", Some(scalars.Text), RowValue.Type),
            Field("name", Some(scalars.Text), RowValue.Name),
            Field("status", Some(scalars.Text), RowValue.Status),
            Field("owner", Some(scalars.Id), RowValue.Owner),
            Field("version", Some(scalars.Integer), RowValue.Version),
            Field("typeVersion", scalars.Integer, RowValue.TypeVersion),
            Field("createdAt", Some(scalars.Time), RowValue.CreatedAt),
            Field("createdBy", Some(scalars.Id), RowValue.CreatedBy),
            Field("updatedAt", Some(scalars.Time), RowValue.UpdatedAt),
            Field("updatedBy", Some(scalars.Id), RowValue.UpdatedBy),
            Field("deletedAt", scalars.Time, RowValue.DeletedAt),
            Field("metadataJson", Some(scalars.Json), RowValue.MetadataJson),
        ];

    static RowField Field(string name, IGraphType type, RowValue value) =>
        new()
        {
            Name = name,
            ResolvedType = type,
            Value = value,
        };

    MemberType Members(string name, IReadOnlyList<GraphMember> members)
    {
        var type = new MemberType { Name = name };
        var names = members.Select(member => member.Name).ToHashSet();
        foreach (var member in members)
        {
            var resolver = new FuncFieldResolver<object>(context => Of((JsonElement)context.Source!, member));
            if (member.Reference is not { } reference)
            {
                IGraphType one = member.Kind switch
                {
                    GraphKind.Object => (IGraphType)Members(member.TypeName, member.Members),
                    GraphKind.Choice => Choice(member),
                    var kind => scalars.Of(kind),
                };
                type.AddField(
                    new MemberField
                    {
                        Name = member.Name,
                        ResolvedType = member.IsList ? new ListGraphType(one) : one,
                        Member = member,
                        Resolver = resolver,
                    }
                );
                continue;
            }
            if (declared.Any(each => each.Name == reference.Type))
            {
                var target = new GraphQLTypeReference(GraphNames.TypeOf(reference.Type));
                type.AddField(
                    new ReferenceField
                    {
                        Name = member.Name,
                        ResolvedType = member.IsList ? new ListGraphType(Some(target)) : target,
                        Resolver = new FuncFieldResolver<object>(context =>
                            GraphQueries.Refer(context, member, reference.Type)
                        ),
                    }
                );
            }
            var ids = member.NameOfInput;
            if (names.Add(ids))
                type.AddField(
                    new MemberField
                    {
                        Name = ids,
                        ResolvedType = member.IsList ? new ListGraphType(scalars.Id) : scalars.Id,
                        Member = member with { Name = ids, Reference = null },
                    }
                );
        }
        more.Add(type);
        return type;
    }

    /// <summary>The value of a member whose parts are resolved; what is no object has none.</summary>
    static object? Of(JsonElement element, GraphMember member)
    {
        if (!element.TryGetProperty(member.Property, out var value))
            return null;
        if (!member.IsList)
            return value.ValueKind is JsonValueKind.Object ? value : null;
        return value.ValueKind is not JsonValueKind.Array
            ? null
            : value
                .EnumerateArray()
                .Select(each => each.ValueKind is JsonValueKind.Object ? (object)each : null)
                .ToArray();
    }

    EnumerationGraphType Choice(GraphMember member)
    {
        if (choices.TryGetValue(member.TypeName, out var known))
            return known;
        var type = choices[member.TypeName] = new() { Name = member.TypeName };
        foreach (var choice in member.Choices.Distinct())
            type.Add(choice, choice);
        more.Add(type);
        return type;
    }

    EnumerationGraphType Sort(TypeDefinition definition, string name)
    {
        var type = new EnumerationGraphType { Name = name + "Sort", Description = "An order that an index serves." };
        foreach (
            var path in new[] { "createdAt", "updatedAt", "name", "status", "owner", "id" }.Concat(
                definition.Indexed.Select(member => member.Path)
            )
        )
        foreach (var (ending, sign) in new[] { ("_ASC", ""), ("_DESC", "-") })
        {
            var value = Constant(path) + ending;
            if (type.Values.FindByName(value) is null)
                type.Add(value, sign + path);
        }
        more.Add(type);
        return type;
    }

    /// <summary>A path as a constant: <c>CREATED_AT</c>, <c>METADATA_UNIT_PRICE</c>.</summary>
    static string Constant(string path)
    {
        var text = new StringBuilder();
        foreach (var c in path)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0 && text[^1] is not '_')
                text.Append('_');
            text.Append(char.IsAsciiLetterOrDigit(c) ? char.ToUpperInvariant(c) : '_');
        }
        return text.ToString();
    }

    ObjectGraphType<GraphPage> Connection(string name, IGraphType node)
    {
        var edge = new ObjectGraphType<GraphEdge> { Name = name + "Edge" };
        edge.AddField(Of("cursor", Some(scalars.Text), (GraphEdge source) => source.Page.CursorOf(source.Row)));
        edge.AddField(Of("node", Some(node), (GraphEdge source) => source.Row));
        var info = more.OfType<ObjectGraphType<GraphPage>>().FirstOrDefault(type => type.Name is "PageInfo")
            ?? PageInfo();
        var connection = new ObjectGraphType<GraphPage> { Name = name + "Connection" };
        connection.AddField(
            Of("edges", Some(new ListGraphType(Some(edge))), (GraphPage page) =>
                page.Rows.Select(row => new GraphEdge(page, row)).ToArray()
            )
        );
        connection.AddField(Of("nodes", Some(new ListGraphType(Some(node))), (GraphPage page) => page.Rows));
        connection.AddField(Of("pageInfo", Some(info), (GraphPage page) => page));
        connection.AddField(
            new CountField
            {
                Name = "totalCount",
                ResolvedType = scalars.Integer,
                Resolver = new FuncFieldResolver<object>(context => ((GraphPage)context.Source!).Count),
            }
        );
        more.AddRange([edge, connection]);
        return connection;
    }

    ObjectGraphType<GraphPage> PageInfo()
    {
        var info = new ObjectGraphType<GraphPage> { Name = "PageInfo" };
        info.AddField(Of("hasNextPage", Some(scalars.Truth), (GraphPage page) => page.HasNext));
        info.AddField(Of("hasPreviousPage", Some(scalars.Truth), (GraphPage page) => page.HasPrevious));
        info.AddField(
            Of("startCursor", scalars.Text, (GraphPage page) =>
                page.Rows is [var first, ..] ? page.CursorOf(first) : null
            )
        );
        info.AddField(
            Of("endCursor", scalars.Text, (GraphPage page) => page.Rows is [.., var last] ? page.CursorOf(last) : null)
        );
        more.Add(info);
        return info;
    }

    static FieldType Of<T>(string name, IGraphType type, Func<T, object?> read) =>
        new()
        {
            Name = name,
            ResolvedType = type,
            Resolver = new FuncFieldResolver<object>(context => read((T)context.Source!)),
        };

    internal static NonNullGraphType Some(IGraphType type) => new(type);

    /// <summary>Types are made here and not by a container.</summary>
    sealed class NoServices : IServiceProvider
    {
        public object? GetService(Type serviceType) => null;
    }
}

/// <summary>A page of a list.</summary>
sealed record GraphPage(
    IReadOnlyList<ResourceRow> Rows,
    bool HasNext,
    bool HasPrevious,
    long? Count,
    Func<ResourceRow, string> CursorOf
);

/// <summary>A row of a page.</summary>
sealed record GraphEdge(GraphPage Page, ResourceRow Row);
