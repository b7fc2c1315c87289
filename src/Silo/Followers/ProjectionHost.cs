using Marten;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Keeps each read model on one node of the cluster: the one that holds a session lock of that name in the database.
/// When that node or its connection dies the lock is free, and another node takes over within a second or two. Should two
/// run for a moment, the position that each page commits with its rows lets one of them fail and nothing be applied twice.
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

    readonly ILogger logger = logs.CreateLogger<ProjectionHost>();
    readonly string node = $"{Environment.MachineName}:{Environment.ProcessId}";

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(
            models.Select(model =>
                new Loop($"Keeping {model.Name}", logger) { RetryDelay = RetryDelay, Time = time }.RunAsync(
                    ct => TakeAsync(new(model, follow, bulk, store, kinds, time, logs), ct),
                    stoppingToken
                )
            )
        );

    async Task TakeAsync(ProjectionSetting setting, CancellationToken ct)
    {
        await using var connection = await sessions.OpenAsync(ct);
        var owner = new ProjectionOwner(setting.Model, connection);
        while (!await owner.TryTakeAsync(ct))
            await Task.Delay(RetryDelay, time, ct);
        await OwnAsync(owner, setting, ct);
    }

    /// <summary>Keeps the read model for as long as the session, and with it the lock, lives.</summary>
    async Task OwnAsync(ProjectionOwner owner, ProjectionSetting setting, CancellationToken ct)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        await owner.BeginAsync(node, ct);
        var alive = owner.StayAliveAsync(ending.Token);
        try
        {
            logger.LogInformation("This node keeps {Follower} up to date", setting.Model.Name);
            await using var follower = new ProjectionFollower(owner, news, setting);
            await follower.RunAsync(ct);
        }
        finally
        {
            await ending.CancelAsync();
            await alive;
            await owner.ReleaseAsync();
        }
    }
}
