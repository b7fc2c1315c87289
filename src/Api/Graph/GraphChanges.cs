using System.Globalization;
using GraphQL;
using GraphQL.Resolvers;
using GraphQL.Types;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Lists that are followed: the whole list first, and then what becomes of it.</summary>
sealed class GraphChanges(GraphQueries queries, ResourceDoor door)
{
    const int StandardMost = 1_000;

    /// <summary>The kinds of steps.</summary>
    public IGraphType Kinds(List<IGraphType> more)
    {
        var kinds = new EnumerationGraphType
        {
            Name = "ChangeKind",
            Description = "A step of a list that is followed.",
        };
        foreach (
            var (name, kind, means) in new[]
            {
                ("RESET", ListChangeKind.Reset, "A whole list follows; what came before is void."),
                ("SNAPSHOT", ListChangeKind.Snapshot, "A resource of the whole list."),
                ("CAUGHT_UP", ListChangeKind.CaughtUp, "The list is complete."),
                ("ADDED", ListChangeKind.Added, "A resource has entered the list."),
                ("CHANGED", ListChangeKind.Changed, "A resource of the list has changed."),
                ("REMOVED", ListChangeKind.Removed, "A resource has left the list."),
                ("POSITION", ListChangeKind.Position, "The list is complete up to a position."),
            }
        )
            kinds.Add(name, kind, means);
        more.Add(kinds);
        return kinds;
    }

    /// <summary>The field of subscriptions that follows a list of a type.</summary>
    public FieldType Of(
        TypeDefinition definition,
        IGraphType row,
        IGraphType kinds,
        IGraphType where,
        GraphScalars scalars,
        List<IGraphType> more
    )
    {
        var step = new ObjectGraphType<ListChange> { Name = GraphNames.TypeOf(definition.Name) + "Change" };
        step.AddField(Field("kind", GraphTypes.Some(kinds), change => change.Kind));
        step.AddField(Field("position", GraphTypes.Some(scalars.Position), change => Responses.Text(change.Position)));
        step.AddField(Field("id", scalars.Id, change => change.Id == Guid.Empty ? null : change.Id.ToString()));
        step.AddField(Field(GraphNames.FieldOf(definition.Name), row, change => change.Row));
        more.Add(step);
        return new()
        {
            Name = TypeNames.Camel(definition.Name) + "Changes",
            ResolvedType = step,
            Arguments =
            [
                new(scalars.Text) { Name = "filter" },
                new(where) { Name = "where" },
                new(scalars.Int) { Name = "first", DefaultValue = StandardMost },
            ],
            Resolver = new FuncFieldResolver<object>(async context =>
                context.RootValue is ListChange change ? change : await AskAsync(context, definition.Name)
            ),
            StreamResolver = GraphEvents.Unused,
        };
    }

    /// <summary>Notes what a subscription asks for.</summary>
    async Task<object?> AskAsync(IResolveFieldContext context, string type)
    {
        var list = queries.Selected(context, type);
        var most = context.GetArgument<int?>("first") ?? StandardMost;
        if (most is < 1 or > ResourceDoor.MaxFollowed)
        {
            var detail = string.Create(
                CultureInfo.InvariantCulture,
                $"first takes a whole number from 1 to {ResourceDoor.MaxFollowed}."
            );
            throw new RefusedError(ProblemType.ValidationFailed, detail, [new("/first", "INVALID_PARAMETER", detail)]);
        }
        var reached = await door.WaitAsync(null, context.CancellationToken);
        if (reached.Rejection is { } behind)
            throw new RefusedError(behind);
        ((GraphOperation)context.UserContext).Asked = new GraphListAsked(type, list, most, reached.Position);
        return null;
    }

    static FieldType Field(string name, IGraphType type, Func<ListChange, object?> read) =>
        new()
        {
            Name = name,
            ResolvedType = type,
            Resolver = new FuncFieldResolver<object>(context => read((ListChange)context.Source!)),
        };
}
