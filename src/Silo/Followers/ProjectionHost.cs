using Marten;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Keeps the read models on one node of the cluster: the one that holds a session lock in the database. When that node
/// or its connection dies the lock is free, and another node takes over within a second or two. Should two run for a
/// moment, the position that each page commits with its rows lets one of them fail and nothing be applied twice.
/// </summary>
sealed class ProjectionHost(
    IEnumerable<ReadModel> models,
    SessionsDb sessions,
    FollowDb follow,
    BulkDb bulk,
    IDocumentStore store,
    LogNews news,
    EventKinds kinds,
    TimeProvider time,
    ILoggerFactory logs
) : BackgroundService
{
    static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    readonly ReadModel[] models = [.. models];
    readonly ILogger logger = logs.CreateLogger<ProjectionHost>();
    readonly string node = $"{Environment.MachineName}:{Environment.ProcessId}";

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Loop("Running the projections", logger) { RetryDelay = RetryDelay, Time = time }.RunAsync(
            TakeAsync,
            stoppingToken
        );

    async Task TakeAsync(CancellationToken ct)
    {
        await using var connection = await sessions.OpenAsync(ct);
        var owner = new ProjectionOwner(connection);
        while (!await owner.TryTakeAsync(ct))
            await Task.Delay(RetryDelay, time, ct);
        await OwnAsync(owner, ct);
    }

    /// <summary>Keeps all read models for as long as the session, and with it the lock, lives.</summary>
    async Task OwnAsync(ProjectionOwner owner, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await owner.BeginAsync(node, [.. models.Select(model => model.Name)], ct);
        var alive = owner.StayAliveAsync(ending.Token);
        try
        {
            logger.LogInformation("This node runs the projections");
            // The first that fails ends the others: all of them need the session.
            await Parallel.ForEachAsync(
                models,
                new ParallelOptions { MaxDegreeOfParallelism = models.Length, CancellationToken = ct },
                async (model, ct) =>
                {
                    var about = new ProjectionSetting(model, follow, bulk, store, kinds, time, logs);
                    await using var follower = new ProjectionFollower(owner, news, about);
                    await follower.RunAsync(ct);
                }
            );
        }
        finally
        {
            await ending.CancelAsync();
            await alive;
            await owner.ReleaseAsync();
        }
    }
}
