using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Looks at the active subscriptions every second. Those at work on this node end when their settings, or what their
/// owner may read, have changed. Those whose API key has ended are disabled. Every few seconds all that send by
/// themselves are woken, so that each is at work somewhere soon after a node was lost, and none is deactivated for lack
/// of calls. Rows that do not agree with their events are settled, and what deleted accounts have left is deleted.
/// </summary>
sealed class SubscriptionWatch : BackgroundService
{
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(900);

    /// <summary>Looks from one waking to the next.</summary>
    const int WakeEvery = 3;

    readonly SubscriptionStore store;
    readonly SubscriptionRows rows;
    readonly Deliveries deliveries;
    readonly IGrainFactory grains;
    readonly FollowerMonitor monitor;
    readonly IHostApplicationLifetime node;
    readonly TimeProvider time;
    readonly ILogger<SubscriptionWatch> logger;
    readonly ConcurrentDictionary<Guid, SubscriptionWorker> here = new();

    public SubscriptionWatch(
        SubscriptionStore store,
        SubscriptionRows rows,
        Deliveries deliveries,
        IGrainFactory grains,
        FollowerMonitor monitor,
        IMeterFactory meters,
        IHostApplicationLifetime node,
        TimeProvider time,
        ILogger<SubscriptionWatch> logger
    )
    {
        this.store = store;
        this.rows = rows;
        this.deliveries = deliveries;
        this.grains = grains;
        this.monitor = monitor;
        this.node = node;
        this.time = time;
        this.logger = logger;
        // The factory's, as its gauges end with the node; a test host starts many of them.
        var meter = meters.Create(Followers.Meter.Name);
        meter.CreateObservableGauge(
            "resources.subscription.position",
            () => Each(run => run.Window.Position),
            description: "Position up to which a subscription's events are delivered or parked"
        );
        meter.CreateObservableGauge(
            "resources.subscription.lag",
            () => Each(run => Math.Max(0, Head - run.Window.Position)),
            description: "Positions between a subscription and the log's head"
        );
        meter.CreateObservableGauge(
            "resources.subscription.parked",
            () => Each(run => (long)run.Window.Parked),
            description: "Resources whose events a subscription holds back"
        );
    }

    /// <summary>The log's head of a second ago.</summary>
    long Head => monitor.Latest.Select(follower => follower.Head).DefaultIfEmpty().Max();

    /// <summary>Looks after a worker of this node.</summary>
    public void Add(SubscriptionWorker worker) => here[worker.Id] = worker;

    /// <summary>Looks after it no more.</summary>
    public void Remove(SubscriptionWorker worker) => here.TryRemove(new(worker.Id, worker));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Before that no node may have a place for grains.
        using var started = CancellationTokenSource.CreateLinkedTokenSource(node.ApplicationStarted, stoppingToken);
        await Task.Delay(Timeout.Infinite, started.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var look = 0; !stoppingToken.IsCancellationRequested; look++)
        {
            try
            {
                var active = (await store.ActiveAsync(stoppingToken)).ToDictionary(each => each.Id);
                foreach (var (id, worker) in here)
                    if (worker.Run is { } run && run.IsOutdated(active.GetValueOrDefault(id)))
                        run.End();
                await SendAsync(
                    active
                        .Values.Where(each => each.LacksKey)
                        .Select(each => ExecuteAsync(each.Id, new DisableSubscription(SubscriptionRun.KeyIsOver)))
                );
                // Others wake them when this node goes.
                if (look % WakeEvery is 0 && !node.ApplicationStopping.IsCancellationRequested)
                {
                    await SendAsync(
                        active
                            .Values.Where(each => deliveries.Pushing.Contains(each.Kind))
                            .Select(each => grains.GetGrain<ISubscriptionGrain>(each.Id).Wake(each.Revision))
                    );
                    await SendAsync(
                        from id in await rows.UnsettledAsync(stoppingToken)
                        select grains.GetGrain<ISubscriptionSettingsGrain>(id).Follow()
                    );
                    await SendAsync(
                        from id in await rows.OrphanedAsync(stoppingToken)
                        select ExecuteAsync(id, new DeleteSubscription())
                    );
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Without the store no event comes either.
                if (e is not StoreUnavailableException)
                    logger.LogWarning("The subscriptions cannot be looked at: {Reason}", e.Message);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(PollInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Changes a subscription; whoever has it at work hears of that at once.</summary>
    async Task ExecuteAsync(Guid id, SubscriptionCommand command)
    {
        await grains.GetGrain<ISubscriptionSettingsGrain>(id).Execute(command, Intent.OfNode());
        await grains.GetGrain<ISubscriptionGrain>(id).Wake(long.MaxValue);
    }

    /// <summary>Sends calls to grains; those that fail are sent again the next time.</summary>
    async Task SendAsync(IEnumerable<Task> calls) =>
        await Task.WhenAll(calls).WaitAsync(PollInterval, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    IEnumerable<Measurement<long>> Each(Func<SubscriptionRun, long> value) =>
        here.Select(pair => (pair.Key, pair.Value.Run))
            .Where(pair => pair.Run is not null)
            .Select(pair => new Measurement<long>(
                value(pair.Run!),
                new KeyValuePair<string, object?>("subscription", pair.Key)
            ));
}
