using GraphQL.Resolvers;
using GraphQL.Types;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>What the schema says of itself beside its introspection: the declared types, and who asks.</summary>
static class GraphCatalogue
{
    /// <summary>A declared type, and what of it has no name here.</summary>
    sealed record Declared(TypeDefinition Type, IReadOnlyList<string> Hidden);

    public static IEnumerable<FieldType> Fields(
        IReadOnlyList<TypeDefinition> types,
        GraphScalars scalars,
        List<IGraphType> more
    )
    {
        var type = new ObjectGraphType<Declared> { Name = "Type", Description = "A declared type." };
        type.AddField(Field("name", GraphTypes.Some(scalars.Text), (Declared each) => each.Type.Name));
        type.AddField(Field("plural", GraphTypes.Some(scalars.Text), (Declared each) => each.Type.Plural));
        type.AddField(Field("title", scalars.Text, (Declared each) => each.Type.Title));
        type.AddField(Field("description", scalars.Text, (Declared each) => each.Type.Description));
        type.AddField(Field("schema", GraphTypes.Some(scalars.Json), (Declared each) => each.Type.Schema.Source));
        var hidden = Field("hidden", Texts(scalars), (Declared each) => each.Hidden);
        hidden.Description = "Pointers to members that have no name of their own here: they are in metadataJson only.";
        type.AddField(hidden);
        var me = new ObjectGraphType<Caller> { Name = "Me", Description = "Who asks." };
        me.AddField(Field("id", GraphTypes.Some(scalars.Id), (Caller caller) => caller.Id));
        me.AddField(Field("roles", Texts(scalars), (Caller caller) => caller.Roles));
        me.AddField(Field("permissions", Texts(scalars), (Caller caller) => caller.Permissions.ToTexts()));
        more.AddRange([type, me]);
        Declared[] all = [.. types.Select(each => new Declared(each, GraphMembers.Of(each).Hidden))];
        return
        [
            new()
            {
                Name = "types",
                ResolvedType = GraphTypes.Some(new ListGraphType(GraphTypes.Some(type))),
                Resolver = new FuncFieldResolver<object>(_ => all),
            },
            new()
            {
                Name = "me",
                ResolvedType = GraphTypes.Some(me),
                Resolver = new FuncFieldResolver<object>(context => ((GraphOperation)context.UserContext).Caller),
            },
        ];
    }

    static NonNullGraphType Texts(GraphScalars scalars) =>
        GraphTypes.Some(new ListGraphType(GraphTypes.Some(scalars.Text)));

    static FieldType Field<T>(string name, IGraphType type, Func<T, object?> read) =>
        new()
        {
            Name = name,
            ResolvedType = type,
            Resolver = new FuncFieldResolver<object>(context => read((T)context.Source!)),
        };
}
