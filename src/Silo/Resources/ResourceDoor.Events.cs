using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>The door to events of resources, and to lists that are followed.</summary>
public sealed partial class ResourceDoor
{
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
    public Task<LogPage> ReadAsync(
        Caller caller,
        EventFilter asked,
        long after,
        int limit,
        long head,
        CancellationToken ct
    ) =>
        feed.ReadAsync(
            caller.Id,
            after,
            asked with
            {
                Visible = ReachOf(caller, includeDeleted: false),
            },
            limit,
            head,
            ct
        );

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
    ) => feed.FollowAsync(lease.CallerId, after, asked with { Visible = lease.Visible }, pulse, ct);

    /// <summary>A list that is to be followed, whole, at a position or later.</summary>
    /// <returns>At most one row more than <see cref="MaxFollowed"/>; cut where it is larger than <see cref="MaxFollowedBytes"/>.</returns>
    /// <exception cref="StoreOverloadedException">The caller, or the node, has as much in memory as it may.</exception>
    public async Task<ResourcePage> SnapshotAsync(
        StreamLease lease,
        ResourceSelection asked,
        ResourceSort sort,
        long position,
        CancellationToken ct
    )
    {
        var selection = asked with { Visible = lease.Visible };
        Task<ResourcePage> ReadAsync(int bytes) =>
            turns.ListAsync(
                lease.CallerId,
                selection,
                sort,
                CountKind.None,
                () =>
                    resources.PageAsync(
                        selection,
                        sort,
                        null,
                        MaxFollowed + 1,
                        bytes,
                        CountKind.None,
                        position,
                        ct,
                        bytes > SmallPageBytes
                    ),
                ct,
                isLarge: bytes > SmallPageBytes
            );
        ResourcePage? page = await ReadAsync(SmallPageBytes);
        if (!page.IsCut)
            return page;
        // Nobody keeps a page while waiting for memory and turns.
        page = null;
        page = await WithMemoryAsync(lease.CallerId, MaxFollowedBytes, ReadAsync, ct)
            ?? await ReadAsync(SmallPageBytes);
        var most = Math.Min(Copies * (long)MaxFollowedBytes, memory.Largest);
        // It may be short enough: there is less memory now than at other times.
        if (page.IsCut && most > LeastMemory && (page.Memory?.Size ?? 0) < most)
        {
            page.Memory?.Dispose();
            throw memory.Refused(lease.CallerId);
        }
        return page;
    }

    /// <summary>What has become of a list behind a position; null when there is so much that it is better read anew.</summary>
    internal async Task<(ResourceChanges? Changes, MemoryLease? Memory)> ChangesAsync(
        StreamLease lease,
        ResourceSelection selection,
        long after,
        CancellationToken ct
    )
    {
        Task<ResourceChanges?> ReadAsync(int bytes) =>
            turns.ListAsync(
                lease.CallerId,
                selection,
                sort: null,
                CountKind.None,
                () => resources.ChangesAsync(selection, after, MaxFollowed, bytes, ct),
                ct,
                isLarge: bytes > SmallPageBytes
            );
        if (await ReadAsync(SmallPageBytes) is { } few)
            return (few, null);
        if (await TakeMemoryAsync(lease.CallerId, MaxFollowedBytes, ct) is not { } held)
            return (null, null);
        try
        {
            return (await ReadAsync((int)held.Size / Copies), held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>A list and what becomes of it; ends when it is better read anew.</summary>
    public IAsyncEnumerable<IReadOnlyList<ListChange>> FollowAsync(
        StreamLease lease,
        ResourceSelection asked,
        ResourcePage snapshot,
        TimeSpan pulse,
        CancellationToken ct
    ) => new ListFeed(this, tail, lease, asked with { Visible = lease.Visible }, snapshot).FollowAsync(pulse, ct);
}
