using JasperFx.Events.Daemon;
using Marten;
using Microsoft.Extensions.Logging;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Marten's daemon at work on one generation of the resource views.</summary>
sealed class ProjectionRun : IAsyncDisposable
{
    readonly DocumentStore store;
    readonly IProjectionDaemon daemon;
    readonly ResourceViewProjection projection;
    long head;

    ProjectionRun(DocumentStore store, IProjectionDaemon daemon, ResourceViewProjection projection)
    {
        this.store = store;
        this.daemon = daemon;
        this.projection = projection;
    }

    /// <summary>Starts after the position that the generation has reached.</summary>
    /// <param name="batchSize">Most events of one transaction: large for a rebuild, small where readers wait.</param>
    public static async Task<ProjectionRun> StartAsync(
        FollowDb db,
        EventKinds kinds,
        int generation,
        int batchSize,
        TimeProvider time,
        ILoggerFactory logs
    )
    {
        var projection = new ResourceViewProjection(generation, time);
        var store = DocumentStore.For(options =>
        {
            MartenSetup.Configure(options, kinds);
            db.Serve(options);
            MartenSetup.Follow(options, projection, ResourceViewProjection.FollowerName, batchSize);
        });
        var run = new ProjectionRun(
            store,
            (IProjectionDaemon)await store.BuildProjectionDaemonAsync(logger: logs.CreateLogger("Marten.Daemon")),
            projection
        );
        try
        {
            await run.daemon.StartAllAsync();
            // Marten logs an agent that does not start, and goes on without it.
            if (run.daemon.CurrentAgents().Count is not 1)
                throw new InvalidOperationException($"Generation {generation} of the resource views did not start.");
            return run;
        }
        catch
        {
            await run.DisposeAsync();
            throw;
        }
    }

    /// <summary>Why it stands still; null while it runs.</summary>
    public ShardFailure? Failure =>
        daemon.CurrentAgents().Select(agent => agent.Failure).FirstOrDefault(failure => failure is not null);

    /// <summary>Says that lists read this generation, so that its delay counts.</summary>
    public void BecomeRead() => projection.IsRead = true;

    /// <summary>The position it has committed.</summary>
    public long Position => daemon.CurrentAgents().Select(agent => agent.Position).SingleOrDefault();

    /// <summary>
    /// Lets it read up to the log's head. The order promise makes the head safe: nothing will appear below it.
    /// </summary>
    public async Task AdvanceAsync(long position)
    {
        if (position <= head)
            return;
        await daemon.Tracker.MarkHighWaterAsync(position);
        head = position;
    }

    public async ValueTask DisposeAsync()
    {
        await daemon.StopAllAsync();
        daemon.Dispose();
        await store.DisposeAsync();
    }
}
