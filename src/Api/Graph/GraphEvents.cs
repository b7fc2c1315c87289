using System.Globalization;
using GraphQL;
using GraphQL.Resolvers;
using GraphQL.Types;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A page of the log.</summary>
sealed record GraphEventPage(IReadOnlyList<LogEvent> Events, long Reached, bool HasNext);

/// <summary>Events: as pages of queries, and one by one in subscriptions.</summary>
sealed class GraphEvents(ResourceDoor door)
{
    const int StandardPage = 100;

    /// <summary>The library asks for one, and would push what it gives; subscriptions here read the log at their own pace.</summary>
    internal static readonly ISourceStreamResolver Unused = new SourceStreamResolver<object>(
        (Func<IResolveFieldContext, IObservable<object?>>)(
            _ => throw new InvalidOperationException("Nothing is pushed.")
        )
    );

    /// <summary>The type of an event, and that of a page of them.</summary>
    public static (ObjectGraphType<LogEvent> Event, ObjectGraphType<GraphEventPage> Page) Types(
        GraphScalars scalars,
        List<IGraphType> more
    )
    {
        var one = new ObjectGraphType<LogEvent> { Name = "Event", Description = "What has happened to a resource." };
        foreach (var field in Of(scalars, (LogEvent logged) => logged))
            one.AddField(field);
        one.AddField(Field("resource", GraphTypes.Some(scalars.Id), (LogEvent logged) => logged.Resource.ToString()));
        one.AddField(Field("resourceType", GraphTypes.Some(scalars.Text), (LogEvent logged) => logged.ResourceType));
        var page = new ObjectGraphType<GraphEventPage> { Name = "EventConnection" };
        page.AddField(
            Field("nodes", GraphTypes.Some(new ListGraphType(GraphTypes.Some(one))), (GraphEventPage events) =>
                events.Events
            )
        );
        page.AddField(
            Field("endPosition", GraphTypes.Some(scalars.Position), (GraphEventPage events) =>
                Responses.Text(events.Reached)
            )
        );
        page.AddField(Field("hasNextPage", GraphTypes.Some(scalars.Truth), (GraphEventPage events) => events.HasNext));
        more.AddRange([one, page]);
        return (one, page);
    }

    /// <summary>The field of a query that reads the log.</summary>
    public FieldType Query(IGraphType page, GraphScalars scalars) =>
        new ListField
        {
            Name = "events",
            ResolvedType = GraphTypes.Some(page),
            Arguments =
            [
                new(scalars.Position) { Name = "after" },
                new(scalars.Int) { Name = "first", DefaultValue = StandardPage },
                new(scalars.Text) { Name = "type" },
                new(scalars.Id) { Name = "resource" },
                new(new ListGraphType(GraphTypes.Some(scalars.Text))) { Name = "event" },
            ],
            Most = EventQuery.MaxEvents,
            Resolver = new FuncFieldResolver<object>(async context =>
                await ReadAsync(context, FilterOf(context, null), _ => true)
            ),
        };

    /// <summary>The field of a resource that has what happened to it.</summary>
    public FieldType History(IGraphType page, GraphScalars scalars) =>
        new ListField
        {
            Name = "history",
            ResolvedType = GraphTypes.Some(page),
            Arguments =
            [
                new(scalars.Position) { Name = "after" },
                new(scalars.Int) { Name = "first", DefaultValue = GraphQueries.StandardPage },
            ],
            Most = EventQuery.MaxEvents,
            Resolver = new FuncFieldResolver<object>(async context => await ReadHistoryAsync(context)),
        };

    /// <summary>The fields of subscriptions.</summary>
    public IEnumerable<FieldType> Subscriptions(
        IReadOnlyList<TypeDefinition> types,
        Func<string, IGraphType> rowOf,
        IGraphType one,
        GraphScalars scalars,
        List<IGraphType> more
    )
    {
        QueryArgument[] Common() =>
            [
                new(scalars.Position) { Name = "after" },
                new(new ListGraphType(GraphTypes.Some(scalars.Text))) { Name = "event" },
                new(scalars.Id) { Name = "resource" },
            ];
        yield return new()
        {
            Name = "events",
            ResolvedType = one,
            Arguments = [.. Common(), new(scalars.Text) { Name = "type" }],
            Resolver = new FuncFieldResolver<object>(async context =>
                context.RootValue is GraphEvent happened ? happened.Logged : await AskAsync(context, null)
            ),
            StreamResolver = Unused,
        };
        foreach (var type in types)
        {
            var name = GraphNames.TypeOf(type.Name);
            var happening = new ObjectGraphType<GraphEvent> { Name = name + "Event" };
            foreach (var field in Of(scalars, (GraphEvent happened) => happened.Logged))
                happening.AddField(field);
            happening.AddField(
                Field(GraphNames.FieldOf(type.Name), rowOf(type.Name), (GraphEvent happened) => happened.Row)
            );
            more.Add(happening);
            yield return new()
            {
                Name = TypeNames.Camel(type.Name) + "Events",
                ResolvedType = happening,
                Arguments = [.. Common()],
                Resolver = new FuncFieldResolver<object>(async context =>
                    context.RootValue is GraphEvent happened ? happened : await AskAsync(context, type.Name)
                ),
                StreamResolver = Unused,
            };
        }
    }

    static IEnumerable<FieldType> Of<T>(GraphScalars scalars, Func<T, LogEvent> logged) =>
        [
            Field("position", GraphTypes.Some(scalars.Position), (T of) => Responses.Text(logged(of).Position)),
            Field("id", GraphTypes.Some(scalars.Id), (T of) => logged(of).Id.ToString()),
            Field("type", GraphTypes.Some(scalars.Text), (T of) => logged(of).Type),
            Field("version", GraphTypes.Some(scalars.Integer), (T of) => logged(of).Version),
            Field("time", GraphTypes.Some(scalars.Time), (T of) => logged(of).At),
            Field("actor", GraphTypes.Some(scalars.Id), (T of) => logged(of).Actor),
            Field("data", GraphTypes.Some(scalars.Json), (T of) => logged(of).Data),
        ];

    static FieldType Field<T>(string name, IGraphType type, Func<T, object?> read) =>
        new()
        {
            Name = name,
            ResolvedType = type,
            Resolver = new FuncFieldResolver<object>(context => read((T)context.Source!)),
        };

    /// <summary>What happened to a resource up to the version that is shown.</summary>
    Task<GraphEventPage> ReadHistoryAsync(IResolveFieldContext context)
    {
        var row = (ResourceRow)context.Source!;
        return ReadAsync(context, new(Reach.Nothing, null, row.Id), logged => logged.Version <= row.Version);
    }

    /// <param name="isShown">Whether an event is in the answer; those behind one that is not are not, either.</param>
    async Task<GraphEventPage> ReadAsync(IResolveFieldContext context, EventFilter filter, Func<LogEvent, bool> isShown)
    {
        var operation = (GraphOperation)context.UserContext;
        var first = context.GetArgument<int?>("first") ?? StandardPage;
        if (first < 1)
            throw Invalid("/first", "first takes a whole number from 1.");
        var end = await operation.Reads.EndOfEventsAsync();
        var page = await door.ReadAsync(
            operation.Caller,
            filter,
            AfterOf(context, end),
            Math.Min(first, ((ListField)context.FieldDefinition).Most),
            end,
            context.CancellationToken
        );
        // A history is read to its end, which may lie behind the moment of the answer.
        var events = page.Events.TakeWhile(logged => logged.Position <= end && isShown(logged)).ToArray();
        return events.Length < page.Events.Count || page.Reached >= end
            ? new(events, events is [.., var last] ? last.Position : Math.Min(page.Reached, end), false)
            : new(events, page.Reached, true);
    }

    /// <summary>Notes what a subscription asks for.</summary>
    async Task<object?> AskAsync(IResolveFieldContext context, string? type)
    {
        var head = await door.HeadAsync(context.CancellationToken);
        var after = context.Arguments?["after"].Value is null ? head : AfterOf(context, head);
        ((GraphOperation)context.UserContext).Asked = new GraphEventsAsked(type, FilterOf(context, type), after);
        return null;
    }

    static long AfterOf(IResolveFieldContext context, long head)
    {
        if (context.Arguments?["after"].Value is not string text)
            return 0;
        return
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position) && position <= head
            ? position
            : throw new RefusedError(
                ProblemType.ValidationFailed,
                "This is no position that the log has reached.",
                [new("/after", "INVALID_POSITION", "This is no position that the log has reached.")]
            );
    }

    static EventFilter FilterOf(IResolveFieldContext context, string? type)
    {
        type ??= context.Arguments?.TryGetValue("type", out var given) is true ? (string?)given.Value : null;
        if (type is not null && !Slug.IsValid(type))
            throw Invalid("/type", "type takes a slug such as 'active'.");
        var resource = (Guid?)null;
        if (context.Arguments?["resource"].Value is { } id)
            resource = Ids.TryParse(Convert.ToString(id, CultureInfo.InvariantCulture)!, out var known)
                ? known
                : throw Invalid("/resource", "resource is not one of ours.");
        var events = (context.Arguments?["event"].Value as IEnumerable<object>)?.Cast<string>().ToArray();
        if (events is not null && !events.All(EventKinds.OfResources.Contains))
            throw Invalid("/event", $"event takes names of events: {string.Join(", ", EventKinds.OfResources)}.");
        return new(Reach.Nothing, type, resource, null, events);
    }

    static RefusedError Invalid(string pointer, string detail) =>
        new(ProblemType.ValidationFailed, detail, [new(pointer, "INVALID_PARAMETER", detail)]);
}
