namespace Resources.Grains;

/// <summary>
/// Counts permits of fixed windows for some keys of a limit, and leases them to nodes in small numbers. The grain's key
/// names the policy and one of <see cref="Limits.Buckets"/> buckets of keys.
/// </summary>
[Alias("resources.ILimitGrain")]
public interface ILimitGrain : IGrainWithStringKey
{
    /// <summary>Leases permits to a node and takes unused ones back.</summary>
    /// <exception cref="StoreUnavailableException">
    /// The database is away, and this lease needs it.
    /// </exception>
    [Alias("Lease")]
    Task<LimitLease> Lease(LimitRequest request);
}
