using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Looks at the followers every second, for probes and metrics, which then cost the database nothing more.
/// </summary>
public sealed class FollowerMonitor : BackgroundService
{
    static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    readonly Followers followers;
    readonly TimeProvider time;
    readonly ILogger<FollowerMonitor> logger;
    volatile IReadOnlyList<Follower> latest = [];

    public FollowerMonitor(
        Followers followers,
        IMeterFactory meters,
        TimeProvider time,
        ILogger<FollowerMonitor> logger
    )
    {
        this.followers = followers;
        this.time = time;
        this.logger = logger;
        // The factory's, as its gauges end with the node; a test host starts many of them.
        var meter = meters.Create(Followers.Meter.Name);
        meter.CreateObservableGauge(
            "resources.follower.position",
            () => Each(follower => follower.Position),
            description: "Position of the log that a follower has applied"
        );
        meter.CreateObservableGauge(
            "resources.follower.lag",
            () => Each(follower => follower.Lag),
            description: "Positions between a follower and the log's head"
        );
        meter.CreateObservableGauge(
            "resources.follower.lag_seconds",
            () => Each(follower => follower.LagSeconds),
            "s",
            "Age of the oldest event that a follower has not applied"
        );
        meter.CreateObservableGauge(
            "resources.follower.faulted",
            () => Each(follower => follower.Fault is null ? 0 : 1),
            description: "1 while a follower stands still at an event"
        );
    }

    /// <summary>
    /// The followers as they were a second ago; none before the first look or while the database is away.
    /// </summary>
    public IReadOnlyList<Follower> Latest => latest;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Loop("Looking at the followers", logger)
        {
            Every = PollInterval,
            RetryDelay = PollInterval,
            Time = time,
            // Old figures would look like good ones.
            Failed = _ => latest = [],
        }.RunAsync(async ct => latest = await followers.AllAsync(ct), stoppingToken);

    IEnumerable<Measurement<T>> Each<T>(Func<Follower, T> value)
        where T : struct =>
        latest.Select(follower => new Measurement<T>(
            value(follower),
            new KeyValuePair<string, object?>("follower", follower.Name)
        ));
}
