using System.Text.Json;

namespace Resources.Grains;

/// <summary>A waiting append to one stream. It creates the event ids, so that a repeated send is recognised.</summary>
sealed class Append
{
    public Append(
        EventKinds kinds,
        Guid stream,
        long expectedVersion,
        IReadOnlyList<object> events,
        Intent intent,
        Guards? guards
    )
    {
        Stream = stream;
        ExpectedVersion = expectedVersion;
        Intent = intent;
        Guards = guards;
        Kinds = new EventKind[events.Count];
        Ids = new Guid[events.Count];
        Bodies = new string[events.Count];
        for (var i = 0; i < events.Count; i++)
        {
            Kinds[i] = kinds[events[i].GetType()];
            Ids[i] = Guid.CreateVersion7();
            Bodies[i] = JsonSerializer.Serialize(events[i], Kinds[i].Type, EventKinds.Json);
        }
    }

    public Guid Stream { get; }
    public long ExpectedVersion { get; }
    public Intent Intent { get; }
    public Guards? Guards { get; }

    /// <summary>The others of its unit: they come before it in the log, or none of them is there.</summary>
    public Append[] Before { get; init; } = [];

    /// <summary>From when on its unit is too old, by the clock of the database.</summary>
    public DateTimeOffset UnitEnds { get; init; }

    public EventKind[] Kinds { get; }
    public Guid[] Ids { get; }
    public string[] Bodies { get; }
    public TaskCompletionSource<AppendOutcome> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
