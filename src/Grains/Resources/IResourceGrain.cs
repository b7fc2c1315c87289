using Orleans.CodeGeneration;
using Orleans.Concurrency;

namespace Resources.Grains;

/// <summary>
/// One resource; the key is its id. All writes of all protocols go through this grain. The version tells nodes that read
/// <see cref="ResourceChanged"/> from those of the release before.
/// </summary>
[Alias("resources.IResourceGrain"), Version(IResourceGrain.Version)]
public interface IResourceGrain : IGrainWithGuidKey
{
    internal const ushort Version = 1;

    /// <summary>Runs a command; returns the resource after it, or a rejection.</summary>
    /// <exception cref="StoreUnavailableException">The database is away; the outcome is unknown.</exception>
    [Alias("Execute")]
    Task<Reply<Resource>> Execute(ResourceCommand command, Intent intent);

    /// <summary>
    /// The current resource; a null value when it was never created. A deleted resource has its time of deletion.
    /// </summary>
    [Alias("Get")]
    Task<Reply<Resource>> Get();

    /// <summary>
    /// The resource as it was at a version, a time or a position (inclusive). Others need not wait for it, as it has
    /// nothing to do with what the grain remembers.
    /// </summary>
    [Alias("GetPast"), AlwaysInterleave]
    Task<Reply<Resource>> GetPast(Moment moment);
}
