using System.Text.Json;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Words for decisions: the state after events, then the events or the refusal that a command leads to.</summary>
static class Outcome
{
    /// <summary>The state and version after events. Version n is recorded at minute n.</summary>
    public static (TState? State, long Version) After<TState, TEvent>(
        IEnumerable<TEvent> events,
        Func<TState?, Recorded<TEvent>, TState> evolve
    )
        where TState : class
    {
        var state = (TState?)null;
        var version = 0L;
        foreach (var data in events)
        {
            version++;
            state = evolve(state, new(data, version, 10 * version, Story.At(version), Story.Alice));
        }
        return (state, version);
    }

    /// <summary>The context of a command by Bob, one minute after the last event.</summary>
    public static DecisionContext Context(long version) => new(version, Story.By(Story.Bob), Story.At(version + 1));

    /// <summary>The decision is exactly these events, compared by name and data.</summary>
    public static void Is<TEvent>(this Decision<TEvent> decision, params TEvent[] events)
        where TEvent : notnull
    {
        Assert.Null(decision.Rejection);
        Assert.Equal(events.Select(Text), decision.Events.Select(Text));
    }

    /// <summary>The decision is to change nothing.</summary>
    public static void IsNothing<TEvent>(this Decision<TEvent> decision)
        where TEvent : notnull => decision.Is();

    /// <summary>The decision is a refusal without events.</summary>
    public static void IsRefused<TEvent>(this Decision<TEvent> decision, Refusal kind)
    {
        Assert.Equal(kind, decision.Rejection?.Kind);
        Assert.Empty(decision.Events);
    }

    static string Text<TEvent>(TEvent data)
        where TEvent : notnull =>
        new EventKinds()[data.GetType()].Name + JsonSerializer.Serialize(data, data.GetType(), EventKinds.Json);
}
