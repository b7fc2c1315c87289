using System.Runtime.CompilerServices;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>An event, and the resource as it was at the end of the event's page, as the root of a subscription.</summary>
sealed record GraphEvent(LogEvent Logged, ResourceRow? Row);

/// <summary>What a subscription asks for.</summary>
/// <param name="After">The position of the last event that the client has.</param>
/// <param name="NeedsRows">Whether it shows resources.</param>
sealed record GraphAsked(EventFilter Filter, long After, bool NeedsRows);

/// <summary>
/// A subscription that is open: pages of the log at the client's own pace, and for each event the operation once. Nothing
/// is queued for a client, and nothing dropped.
/// </summary>
sealed class GraphSubscription(GraphExecutor executor, ResourceDoor door, HttpContext http, Caller caller)
{
    GraphPrepared prepared = null!;
    GraphAsked asked = null!;

    /// <summary>Looks at a subscription without running it.</summary>
    /// <param name="after">The position that the client has, where its transport says so.</param>
    /// <returns>Why it cannot be run; null when it can.</returns>
    public async Task<GraphOutcome?> OpenAsync(GraphPrepared subscription, GraphErrors errors, long? after)
    {
        prepared = subscription;
        await using var reads = new GraphReads(caller, door, 0, http.RequestAborted);
        var operation = new GraphOperation(caller, http, reads);
        var outcome = await executor.ExecuteAsync(prepared, operation, errors, null, http.RequestAborted);
        if (operation.Asked is not { } found)
            return outcome;
        asked = after is { } has ? found with { After = has } : found;
        return null;
    }

    /// <summary>An outcome for each event, without an end; of pages without one their position alone.</summary>
    public async IAsyncEnumerable<(long Position, GraphOutcome? Outcome)> RunAsync(
        StreamLease lease,
        TimeSpan pulse,
        [EnumeratorCancellation] CancellationToken ct
    )
    {
        var reached = asked.After;
        while (lease.End is null)
        {
            using var until = CancellationTokenSource.CreateLinkedTokenSource(ct, lease.Changed);
            if (lease.End is not null)
                yield break;
            await using var pages = door.FollowAsync(lease, asked.Filter, reached, pulse, until.Token)
                .GetAsyncEnumerator(until.Token);
            while (await NextAsync(pages, ct))
            {
                var page = pages.Current;
                var rows = asked.NeedsRows && page.Events is not [] ? await RowsOfAsync(page, ct) : null;
                foreach (var logged in page.Events)
                {
                    await using var reads = new GraphReads(caller, door, page.Reached, ct);
                    var outcome = await executor.ExecuteAsync(
                        prepared,
                        new(caller, http, reads),
                        new(null),
                        new GraphEvent(logged, rows?.GetValueOrDefault(logged.Resource)),
                        ct
                    );
                    reached = logged.Position;
                    yield return (reached, outcome with { Position = reached, Cost = null });
                }
                reached = page.Reached;
                if (page.Events is [])
                    yield return (reached, null);
            }
        }
    }

    /// <summary>The resources of a page's events, as they are at its end or later.</summary>
    async Task<IReadOnlyDictionary<Guid, ResourceRow>> RowsOfAsync(FeedPage page, CancellationToken ct)
    {
        await using var reads = new GraphReads(caller, door, page.Reached, ct);
        return await reads.OfIdsAsync([.. page.Events.Select(logged => logged.Resource).Distinct()]);
    }

    /// <summary>Whether there is another page; a change of the rights, and an outage of the store, begin anew.</summary>
    static async ValueTask<bool> NextAsync(IAsyncEnumerator<FeedPage> pages, CancellationToken ct)
    {
        try
        {
            return await pages.MoveNextAsync();
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
        catch (StoreUnavailableException)
        {
            await Task.Delay(StreamResponse.StoreRest, ct);
            return false;
        }
    }
}
