using Orleans.Concurrency;

namespace Resources.Grains;

/// <summary>One resource; the key is its id. All writes of all protocols go through this grain.</summary>
[Alias("resources.IResourceGrain")]
public interface IResourceGrain : IGrainWithGuidKey
{
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

    /// <summary>
    /// Tells that another grain is about to write the stream. What this one remembers is compared with the stream before
    /// each use, until no such write can come any more. Two grains may write each other's streams at one moment, so neither
    /// waits for the other: this interleaves, and asks nobody.
    /// </summary>
    [Alias("Distrust"), AlwaysInterleave]
    Task Distrust();
}
