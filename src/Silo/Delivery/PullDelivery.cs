using Resources.Grains;

namespace Resources.Silo;

/// <summary>Consumers come for the events and say what became of them (<see cref="PullLeases"/>).</summary>
public sealed class PullDelivery : IDelivery
{
    /// <summary>The kind's name.</summary>
    public const string Name = "pull";

    static readonly JsonText Settings = JsonText.Stored("""{"kind":"pull"}"""u8);

    public string Kind => Name;

    public Task<JsonText?> ReadAsync(ObjectReader asked, List<Fault> faults, CancellationToken ct)
    {
        asked.RefuseOthers();
        return Task.FromResult<JsonText?>(Settings);
    }
}
