using System.Reflection;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>All aggregates have one shape, so that a reader who knows one finds his way in the others.</summary>
public class AggregateTests
{
    public static TheoryData<Type, Type, Type, Type> Aggregates =>
        new()
        {
            { typeof(Resource), typeof(ResourceCommand), typeof(DecisionContext), typeof(ResourceEvent) },
            { typeof(Account), typeof(AccountCommand), typeof(AccountContext), typeof(AccountEvent) },
            { typeof(Session), typeof(SessionCommand), typeof(SessionContext), typeof(SessionEvent) },
            { typeof(RoleBook), typeof(RoleCommand), typeof(DecisionContext), typeof(RoleEvent) },
            { typeof(DocumentBook), typeof(DocumentCommand), typeof(DecisionContext), typeof(DocumentEvent) },
            { typeof(TypeState), typeof(TypeCommand), typeof(TypeContext), typeof(TypeEvent) },
            { typeof(ApiKey), typeof(ApiKeyCommand), typeof(DecisionContext), typeof(ApiKeyEvent) },
            {
                typeof(SubscriptionSettings),
                typeof(SubscriptionCommand),
                typeof(DecisionContext),
                typeof(SubscriptionEvent)
            },
        };

    [Theory, MemberData(nameof(Aggregates))]
    public void An_aggregate_evolves_by_recorded_events_and_decides_commands_in_a_context(
        Type state,
        Type command,
        Type context,
        Type @event
    )
    {
        Assert.Equal(state, Method(state, "Evolve", state, typeof(Recorded<>).MakeGenericType(@event)));
        Assert.Equal(typeof(Decision<>).MakeGenericType(@event), Method(state, "Decide", state, command, context));
        Assert.True(context.IsAssignableTo(typeof(DecisionContext)));
    }

    [Theory, MemberData(nameof(Aggregates))]
    public void An_aggregate_has_a_file_for_its_events_its_commands_its_state_and_its_grain(
        Type state,
        Type command,
        Type context,
        Type @event
    )
    {
        _ = context;
        var files = Repository.Sources("src").Select(Path.GetFileName).ToHashSet();
        var kind = command.Name[..^"Command".Length];
        Assert.Equal(kind + "Event", @event.Name);
        Assert.Superset(
            new HashSet<string?>
            {
                kind + "Events.cs",
                kind + "Commands.cs",
                state.Name + ".cs",
                "I" + kind + "Grain.cs",
                kind + "Grain.cs",
            },
            files
        );
    }

    [Fact]
    public void There_is_no_other_aggregate() =>
        Assert.Equal(
            Aggregates.Select(row => row.Data.Item1.Name).Order(),
            typeof(Resource)
                .Assembly.GetTypes()
                .Where(type =>
                    type.GetMethod("Decide", Static) is not null && type.GetMethod("Evolve", Static) is not null
                )
                .Select(type => type.Name)
                .Except([nameof(Factors)])
                .Order()
        );

    const BindingFlags Static = BindingFlags.Static | BindingFlags.Public;

    static Type? Method(Type type, string name, params Type[] takes) => type.GetMethod(name, Static, takes)?.ReturnType;
}
