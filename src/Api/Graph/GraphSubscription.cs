using System.Runtime.CompilerServices;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>An event, and the resource as it was at the end of the event's page, as the root of a subscription.</summary>
sealed record GraphEvent(LogEvent Logged, ResourceRow? Row);

/// <summary>What a subscription asks for.</summary>
/// <param name="Type">The declared type that its field is of; null for all types.</param>
abstract record GraphAsked(string? Type);

/// <summary>Events, one by one.</summary>
/// <param name="After">The position of the last event that the client has.</param>
sealed record GraphEventsAsked(string? Type, EventFilter Filter, long After) : GraphAsked(Type)
{
    /// <summary>Whether it shows resources.</summary>
    public bool NeedsRows => Type is not null;
}

/// <summary>A list, and what becomes of it.</summary>
/// <param name="Most">The most resources that the list may have when it is read whole.</param>
/// <param name="Position">The position that it must have passed.</param>
sealed record GraphListAsked(string Type, ListRequest List, int Most, long Position) : GraphAsked(Type);

/// <summary>
/// A subscription that is open: pages of the log at the client's own pace, and for each event the operation once. Nothing
/// is queued for a client, and nothing dropped.
/// </summary>
sealed class GraphSubscription(GraphExecutor executor, ResourceDoor door, HttpContext http, Caller caller)
{
    GraphPrepared prepared = null!;
    GraphAsked asked = null!;

    /// <summary>When its type was declared.</summary>
    DateTimeOffset? declared;

    /// <summary>Looks at a subscription without running it.</summary>
    /// <param name="after">The position that the client has, where its transport says so.</param>
    /// <returns>Why it cannot be run; null when it can.</returns>
    public async Task<GraphOutcome?> OpenAsync(
        GraphRequest request,
        GraphPrepared subscription,
        GraphErrors errors,
        long? after
    )
    {
        var ct = http.RequestAborted;
        prepared = subscription;
        await using var reads = new GraphReads(caller, door, 0, ct);
        var operation = new GraphOperation(caller, http, reads);
        var outcome = await executor.ExecuteAsync(prepared, operation, errors, null, ct);
        if (await executor.AgainAsync(caller, request, prepared, outcome, ct) is var (again, anew))
        {
            prepared = again;
            outcome = await executor.ExecuteAsync(prepared, operation, anew, null, ct);
        }
        if (operation.Asked is not { } found)
            return outcome;
        declared = executor.DeclaredAt(found.Type);
        if (found.Type is not null && declared is null)
            return Refused(ProblemType.SchemaChanged, "The type was deleted.");
        // A list that is followed begins anew.
        asked = found is GraphEventsAsked events && after is { } has ? events with { After = has } : found;
        return null;
    }

    /// <summary>Whether the subscription has told itself why it ended.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>
    /// An outcome for each event, or each step of a list; where there is nothing, the position alone. It ends with the lease,
    /// and with the type that its field is of.
    /// </summary>
    public async IAsyncEnumerable<(long Position, GraphOutcome? Outcome)> RunAsync(
        StreamLease lease,
        TimeSpan pulse,
        [EnumeratorCancellation] CancellationToken ct
    )
    {
        var all = asked switch
        {
            GraphEventsAsked events => EventsAsync(events, lease, pulse, ct),
            GraphListAsked list => StepsAsync(list, lease, pulse, ct),
            _ => throw new InvalidOperationException("Nothing else is asked for."),
        };
        long? end = null;
        await foreach (var each in all)
        {
            yield return each;
            if (HasEnded)
                continue;
            var isTrusted = await IsTrustedAsync(ct);
            // What happened before the type was deleted is told first.
            if (isTrusted && executor.DeclaredAt(asked.Type) != declared)
                end ??= await HeadAsync(ct);
            if (isTrusted && !(each.Position >= end))
                continue;
            HasEnded = true;
            yield return (
                each.Position,
                isTrusted
                    ? Refused(ProblemType.SchemaChanged, "The type was deleted.")
                    : Refused(ProblemType.DocumentNotTrusted, "The document was removed.")
            );
            yield break;
        }
    }

    /// <summary>Whether the document may still be run; where the store is away, that is asked again later.</summary>
    async Task<bool> IsTrustedAsync(CancellationToken ct)
    {
        try
        {
            return await executor.IsTrustedAsync(prepared, ct);
        }
        catch (StoreUnavailableException)
        {
            return true;
        }
    }

    /// <summary>The head of the log; null while the store is away.</summary>
    async Task<long?> HeadAsync(CancellationToken ct)
    {
        try
        {
            return await door.HeadAsync(ct);
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    async IAsyncEnumerable<(long Position, GraphOutcome? Outcome)> EventsAsync(
        GraphEventsAsked asked,
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
                var rows = new Dictionary<Guid, ResourceRow?>();
                for (var at = 0; at < page.Events.Count; at++)
                {
                    var logged = page.Events[at];
                    // As many as one statement reads: they may be large.
                    if (asked.NeedsRows && !rows.ContainsKey(logged.Resource))
                        rows = await RowsOfAsync(page, at, lease, ct);
                    if (lease.End is not null)
                        yield break;
                    reached = logged.Position;
                    var happened = new GraphEvent(logged, rows.GetValueOrDefault(logged.Resource));
                    yield return (
                        reached,
                        asked.NeedsRows
                            ? await ShowAsync(happened, reached, page.Reached, ct)
                            : await ShowAloneAsync(happened, reached, page.Reached, ct)
                    );
                }
                reached = page.Reached;
                if (page.Events is [])
                    yield return (reached, null);
            }
        }
    }

    async IAsyncEnumerable<(long Position, GraphOutcome? Outcome)> StepsAsync(
        GraphListAsked asked,
        StreamLease lease,
        TimeSpan pulse,
        [EnumeratorCancellation] CancellationToken ct
    )
    {
        var list = asked.List;
        while (lease.End is null)
        {
            using var until = CancellationTokenSource.CreateLinkedTokenSource(ct, lease.Changed);
            if (lease.End is not null)
                yield break;
            if (await SnapshotAsync(asked, lease, until.Token, ct) is not { } snapshot)
                continue;
            using var memory = snapshot.Memory;
            if (snapshot.IsCut || snapshot.Rows.Count > asked.Most)
            {
                HasEnded = true;
                yield return (snapshot.Position, TooLong(asked.Most));
                yield break;
            }
            await using var pages = door.FollowAsync(lease, list.Selection, snapshot, pulse, until.Token)
                .GetAsyncEnumerator(until.Token);
            // Its rows are not kept for as long as the list is followed.
            snapshot = null;
            while (await NextAsync(pages, ct))
                foreach (var step in pages.Current)
                    yield return (step.Position, await ShowAsync(step, step.Position, step.Position, ct));
        }
    }

    async Task<ResourcePage?> SnapshotAsync(
        GraphListAsked asked,
        StreamLease lease,
        CancellationToken until,
        CancellationToken ct
    )
    {
        try
        {
            return await door.SnapshotAsync(lease, asked.List.Selection, asked.List.Sort, asked.Position, until);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception e) when (e is StoreUnavailableException or QueryTimeoutException)
        {
            await Task.Delay(StreamResponse.StoreRest, ct);
            return null;
        }
    }

    /// <summary>What is told when the caller may not have it any more.</summary>
    public static GraphOutcome Lost() => Refused(ProblemType.Forbidden, "The caller has lost the right to this.");

    static GraphOutcome TooLong(int most) =>
        Refused(
            ProblemType.ValidationFailed,
            $"The list has more than {most} resources, or more metadata than can be followed. Narrow it."
        );

    static GraphOutcome Refused(ProblemType type, string why)
    {
        var errors = new GraphErrors(null);
        errors.Add(new RefusedError(type, why));
        return new(null, errors, null, null);
    }

    /// <summary>The answer for an event without its resource: others of the same document have it, too.</summary>
    async Task<GraphOutcome> ShowAloneAsync(GraphEvent happened, long at, long passed, CancellationToken ct)
    {
        // With directives it is one of the variables, too.
        if (prepared.Document.Plans is null)
            return await ShowAsync(happened, at, passed, ct);
        if (executor.Answers.TryFind(prepared, at, out var made))
            return new(null, new(null), at, null)
            {
                HasBegun = true,
                IsOfEvent = true,
                Body = made,
            };
        var outcome = await ShowAsync(happened, at, passed, ct);
        if (outcome.Errors.All is not [])
            return outcome;
        var body = outcome.ToJson();
        executor.Answers.Keep(prepared, at, body);
        return outcome with { Body = body };
    }

    /// <summary>Runs the operation for one event or step.</summary>
    /// <param name="at">The position that the client has with it.</param>
    /// <param name="passed">The position that what is read beside it must have passed.</param>
    async Task<GraphOutcome> ShowAsync(object root, long at, long passed, CancellationToken ct)
    {
        await using var reads = new GraphReads(caller, door, passed, ct);
        var outcome = await executor.ExecuteAsync(prepared, new(caller, http, reads), new(null), root, ct);
        return outcome with { Position = at, Cost = null };
    }

    /// <summary>
    /// The first resources of a page's events from a place on, as they are at its end or later, null where they are not
    /// there. Who is refused, or finds the store away, tries again: no event is left out.
    /// </summary>
    async Task<Dictionary<Guid, ResourceRow?>> RowsOfAsync(
        FeedPage page,
        int from,
        StreamLease lease,
        CancellationToken ct
    )
    {
        Guid[] ids = [.. page.Events.Skip(from).Select(logged => logged.Resource).Distinct()];
        while (lease.End is null)
            try
            {
                await using var reads = new GraphReads(caller, door, page.Reached, ct);
                var (rows, seen) = await reads.OfFirstIdsAsync(ids);
                return ids.Take(seen).ToDictionary(id => id, rows.GetValueOrDefault);
            }
            catch (Exception e)
                when (!ct.IsCancellationRequested
                    && e
                        is StoreUnavailableException
                            or QueryTimeoutException
                            or OperationCanceledException
                            or RefusedError { Rejection.Kind: Refusal.ReadModelBehind }
                )
            {
                await Task.Delay(StreamResponse.StoreRest, ct);
            }
        return [];
    }

    /// <summary>Whether there is another page; a change of the rights, and an outage of the store, begin anew.</summary>
    static async ValueTask<bool> NextAsync<T>(IAsyncEnumerator<T> pages, CancellationToken ct)
    {
        try
        {
            return await pages.MoveNextAsync();
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception e) when (e is StoreUnavailableException or QueryTimeoutException)
        {
            await Task.Delay(StreamResponse.StoreRest, ct);
            return false;
        }
    }
}
