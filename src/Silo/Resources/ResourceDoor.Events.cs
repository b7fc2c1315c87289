using System.Diagnostics;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>The door to events of resources, and to lists that are followed.</summary>
public sealed partial class ResourceDoor
{
    /// <summary>
    /// A filter that matches few events is searched for no longer than this; the page then says how far it came.
    /// </summary>
    static readonly TimeSpan MaxSearch = TimeSpan.FromSeconds(2);

    /// <summary>Lists of more resources cannot be followed.</summary>
    public const int MaxFollowed = 10_000;

    /// <summary>Nor are lists with more metadata than this, in bytes.</summary>
    public const int MaxFollowedBytes = 32 << 20;

    /// <summary>The position of the newest event of the log; 0 when there is none.</summary>
    public Task<long> HeadAsync(CancellationToken ct) => index.HeadAsync(ct);

    /// <inheritdoc cref="ReadIndex.AheadAsync"/>
    public Task<TimeSpan> AheadAsync(DateTimeOffset moment, CancellationToken ct) => index.AheadAsync(moment, ct);

    /// <summary>Why a caller cannot read the history of a resource; null when they can, deleted or not.</summary>
    /// <param name="id">The resource; null when the text was no id.</param>
    public async Task<Rejection?> CheckHistoryAsync(Caller caller, Guid? id, CancellationToken ct)
    {
        if (Lacks(caller, Permissions.ResourceRead) is { } lack)
            return lack;
        return
            id is { } known
            && await log.FindAsync(known, ct) is { } resource
            && ReachOf(caller, includeDeleted: false).Allows(resource.Type, resource.Owner)
            ? null
            : Missing;
    }

    /// <summary>A page of the log, or of the history of the resource that the filter names.</summary>
    /// <param name="after">The position of the last event that the reader has.</param>
    /// <param name="head">The newest position of the log when it was asked.</param>
    public async Task<LogPage> ReadAsync(
        Caller caller,
        EventFilter asked,
        long after,
        int limit,
        long head,
        CancellationToken ct
    )
    {
        var filter = asked with { Visible = ReachOf(caller, includeDeleted: false) };
        var events = new List<LogEvent>();
        var reached = after;
        var started = Stopwatch.GetTimestamp();
        while (events.Count < limit && reached < head && Stopwatch.GetElapsedTime(started) < MaxSearch)
        {
            var page = await log.PageAsync(reached, filter, limit - events.Count, ct);
            events.AddRange(page.Events);
            if (page.Reached == reached)
                break;
            reached = page.Reached;
        }
        return new(events, reached);
    }

    /// <summary>Opens a stream for a caller; null when the caller, or the node, has as many as allowed.</summary>
    /// <param name="more">Permissions that it needs beside reading resources.</param>
    public StreamLease? Open(Caller caller, params string[] more) =>
        streams.Open(caller, [Permissions.ResourceRead, .. more]);

    /// <summary>The events after a position, without an end, as far as the lease lets its holder see them.</summary>
    /// <param name="pulse">Without events, a page without any is given this often.</param>
    public IAsyncEnumerable<FeedPage> FollowAsync(
        StreamLease lease,
        EventFilter asked,
        long after,
        TimeSpan pulse,
        CancellationToken ct
    ) => feed.FollowAsync(after, asked with { Visible = lease.Visible }, pulse, ct);

    /// <summary>A list that is to be followed, whole, at a position or later.</summary>
    /// <returns>At most one row more than <see cref="MaxFollowed"/>; cut where it is larger than <see cref="MaxFollowedBytes"/>.</returns>
    public Task<ResourcePage> SnapshotAsync(
        StreamLease lease,
        ResourceSelection asked,
        ResourceSort sort,
        long position,
        CancellationToken ct
    ) =>
        resources.PageAsync(
            asked with
            {
                Visible = lease.Visible,
            },
            sort,
            null,
            MaxFollowed + 1,
            MaxFollowedBytes,
            CountKind.None,
            position,
            ct
        );

    /// <summary>A list and what becomes of it; ends when it is better read anew.</summary>
    public IAsyncEnumerable<IReadOnlyList<ListChange>> FollowAsync(
        StreamLease lease,
        ResourceSelection asked,
        ResourcePage snapshot,
        TimeSpan pulse,
        CancellationToken ct
    ) => new ListFeed(resources, tail, lease, asked with { Visible = lease.Visible }).FollowAsync(snapshot, pulse, ct);
}
