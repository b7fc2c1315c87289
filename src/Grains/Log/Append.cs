using System.Text.Json;

namespace Resources.Grains;

/// <summary>A waiting append to one stream. It creates the event ids, so that a repeated send is recognised.</summary>
sealed class Append
{
    public Append(Guid stream, long expectedVersion, IReadOnlyList<object> events, Intent intent)
    {
        Stream = stream;
        ExpectedVersion = expectedVersion;
        Events = events;
        Intent = intent;
        Ids = new Guid[events.Count];
        Bodies = new string[events.Count];
        for (var i = 0; i < events.Count; i++)
        {
            Ids[i] = Guid.CreateVersion7();
            Bodies[i] = JsonSerializer.Serialize(events[i], events[i].GetType(), EventTypes.Json);
        }
    }

    public Guid Stream { get; }
    public long ExpectedVersion { get; }
    public IReadOnlyList<object> Events { get; }
    public Intent Intent { get; }
    public Guid[] Ids { get; }
    public string[] Bodies { get; }
    public TaskCompletionSource<Appended?> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
