namespace Resources.Grains;

/// <summary>
/// Who may still do how much, for some of the keys of a limit: permits of fixed windows, handed out to nodes in small
/// leases. Its key names the policy and one of <see cref="Limits.Buckets"/> parts of all keys.
/// </summary>
[Alias("resources.ILimitGrain")]
public interface ILimitGrain : IGrainWithStringKey
{
    /// <summary>Gives a node permits, and takes back those that it has not used.</summary>
    /// <exception cref="StoreUnavailableException">
    /// The database is away, and the lease would have to be remembered.
    /// </exception>
    [Alias("Lease")]
    Task<LimitLease> Lease(LimitRequest request);
}

/// <summary>What a node asks of a limit.</summary>
/// <param name="Key">Whose limit, hashed: nobody who reads it learns who.</param>
/// <param name="Permits">The permits of a window.</param>
/// <param name="WindowMilliseconds">The length of a window.</param>
/// <param name="Wanted">How many permits the node would like.</param>
/// <param name="Returned">How many of those that it has it gives back.</param>
/// <param name="ReturnedOf">The window that they are of.</param>
[GenerateSerializer, Immutable, Alias("limit-request")]
public sealed record LimitRequest(
    string Key,
    int Permits,
    int WindowMilliseconds,
    int Wanted,
    int Returned,
    long ReturnedOf
);

/// <summary>What a node gets.</summary>
/// <param name="Granted">Permits, for this window only.</param>
/// <param name="Window">The window, by its start in milliseconds since 1970.</param>
/// <param name="Left">Permits that nobody has yet.</param>
/// <param name="EndsIn">
/// Milliseconds until the window ends, from the time of the answer. Who counts from before the question never outlives
/// it.
/// </param>
[GenerateSerializer, Immutable, Alias("limit-lease")]
public sealed record LimitLease(int Granted, long Window, int Left, int EndsIn);

/// <summary>How keys are divided among grains.</summary>
public static class Limits
{
    /// <summary>Parts of the keys of a policy, so that no one node counts for all.</summary>
    public const int Buckets = 64;
}
