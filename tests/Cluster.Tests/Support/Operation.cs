using System.Net;

namespace Resources.Cluster.Tests;

/// <summary>What an operation on a resource does.</summary>
internal enum Kind
{
    Create,
    Patch,
    Get,
}

/// <summary>One request and what its client knows about it. Times are of one clock.</summary>
/// <param name="Name">
/// The name that a write gives to its resource: unique, so that the log tells which write an event belongs to.
/// </param>
/// <param name="Status">Null when there was no answer at all.</param>
/// <param name="Version">The version that the answer told, of a success.</param>
/// <param name="Seen">The name that the answer told, of a success.</param>
/// <param name="Leave">Whether the answer closed the connection, as that of a node that is about to stop.</param>
internal sealed record Operation(
    Kind Kind,
    Guid Resource,
    string? Name,
    Uri Node,
    long Invoked,
    long Returned,
    HttpStatusCode? Status,
    string? Code,
    long Version,
    string? Seen,
    bool Leave = false
)
{
    public bool Succeeded => (int?)Status is >= 200 and < 300;

    public TimeSpan Took =>
        TimeSpan.FromTicks(
            (long)((Returned - Invoked) * (double)TimeSpan.TicksPerSecond / System.Diagnostics.Stopwatch.Frequency)
        );

    public override string ToString() =>
        $"{Kind} {Resource} '{Name}' at {Node}: {Status} {Code} version {Version} '{Seen}' in {Took.TotalMilliseconds:F0} ms";
}
