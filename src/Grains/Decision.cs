using System.Runtime.CompilerServices;

namespace Resources.Grains;

/// <summary>The result of a decision: events, which may be none, or a rejection.</summary>
[CollectionBuilder(typeof(Decision), nameof(Decision.Create))]
public readonly struct Decision<TEvent>(TEvent[] events, Rejection? rejection, Guards? guards = null)
{
    public TEvent[] Events { get; } = events;

    public Rejection? Rejection { get; } = rejection;

    /// <summary>What must hold where the events are appended; null when nothing must.</summary>
    public Guards? Guards { get; } = guards;

    /// <summary>
    /// The same decision under guards. Where it has no events, it is given only if the rules of its fence are still the
    /// newest.
    /// </summary>
    public Decision<TEvent> Under(Guards guards) => new(Events, Rejection, guards);

    /// <summary>Other events under the same guards.</summary>
    public Decision<TEvent> With(params TEvent[] other) => new(other, Rejection, Guards);

    public IEnumerator<TEvent> GetEnumerator() => ((IEnumerable<TEvent>)Events).GetEnumerator();

    public static implicit operator Decision<TEvent>(Rejection rejection) => new([], rejection);
}

/// <summary>Lets a decision be written as a collection expression of events.</summary>
public static class Decision
{
    public static Decision<TEvent> Create<TEvent>(ReadOnlySpan<TEvent> events) => new(events.ToArray(), null);
}
