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
    static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    readonly Followers followers;
    readonly TimeProvider time;
    readonly ILogger<FollowerMonitor> log;
    volatile IReadOnlyList<Follower> latest = [];

    public FollowerMonitor(Followers followers, TimeProvider time, ILogger<FollowerMonitor> log)
    {
        this.followers = followers;
        this.time = time;
        this.log = log;
        Followers.Meter.CreateObservableGauge(
            "resources.follower.position",
            () => Each(follower => follower.Position),
            description: "Position of the log that a follower has applied"
        );
        Followers.Meter.CreateObservableGauge(
            "resources.follower.lag",
            () => Each(follower => follower.Lag),
            description: "Positions between a follower and the log's head"
        );
        Followers.Meter.CreateObservableGauge(
            "resources.follower.lag_seconds",
            () => Each(follower => follower.LagSeconds),
            "s",
            "Age of the oldest event that a follower has not applied"
        );
        Followers.Meter.CreateObservableGauge(
            "resources.follower.faulted",
            () => Each(follower => follower.Fault is null ? 0 : 1),
            description: "1 while a follower stands still at an event"
        );
    }

    /// <summary>
    /// The followers as they were a second ago; none before the first look or while the database is away.
    /// </summary>
    public IReadOnlyList<Follower> Latest => latest;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                latest = await followers.AllAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Old figures would look like good ones. Probes tell of a store that is away; all else is for the log.
                latest = [];
                if (e is not StoreUnavailableException)
                    log.LogWarning("The followers cannot be looked at: {Reason}", e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(Every, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    IEnumerable<Measurement<T>> Each<T>(Func<Follower, T> value)
        where T : struct =>
        latest.Select(follower => new Measurement<T>(
            value(follower),
            new KeyValuePair<string, object?>("follower", follower.Name)
        ));
}
