using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>The door to several reads of one moment.</summary>
public sealed partial class ResourceDoor
{
    /// <summary>Begins reads of one moment: one that has passed a position.</summary>
    /// <param name="wanted">The position; null = the log's head.</param>
    /// <exception cref="SearchesBusyException">The account, or the node, has too many searches under way.</exception>
    public async Task<MomentReads> BeginAsync(Caller caller, long? wanted, CancellationToken ct)
    {
        var turn = await turns.TakeSearchAsync(caller.Id, ct);
        var moment = resources.Begin();
        return new(this, caller, moment, resources.Of(moment), turn, wanted, ct);
    }

    /// <summary>Memory for references; whoever asks has a turn of a search, and waits for none.</summary>
    /// <exception cref="StoreOverloadedException">The caller, or the node, has as much in memory as it may.</exception>
    async ValueTask<MemoryLease> ReferenceMemoryAsync(Caller caller, CancellationToken ct) =>
        await memory.TakeAsync(caller.Id, Copies * MaxFollowedBytes, TimeSpan.Zero, ct, LeastMemory)
        ?? throw memory.Refused(caller.Id);

    /// <summary>Why references are not read that need more memory than a lease has.</summary>
    Exception TooMuchFor(Caller caller, MemoryLease lease) =>
        lease.Size >= Math.Min(Copies * MaxFollowedBytes, memory.Largest)
            ? new TooMuchReadException()
            // There is less now than at other times.
            : memory.Refused(caller.Id);

    /// <summary>Lists, and resources by their ids, of one moment.</summary>
    public sealed class MomentReads : IAsyncDisposable
    {
        readonly ResourceDoor door;
        readonly Caller caller;
        readonly ResourceMoment moment;
        readonly ResourceQueries queries;
        readonly IDisposable turn;
        readonly CancellationToken ct;
        readonly SemaphoreSlim first = new(1);
        readonly SemaphoreSlim counting = new(1);
        long? wanted;

        /// <summary>Bytes of metadata of what others refer to, or by.</summary>
        long read;

        MemoryLease? memory;

        internal MomentReads(
            ResourceDoor door,
            Caller caller,
            ResourceMoment moment,
            ResourceQueries queries,
            IDisposable turn,
            long? wanted,
            CancellationToken ct
        )
        {
            (this.door, this.caller, this.moment, this.queries) = (door, caller, moment, queries);
            (this.turn, this.wanted, this.ct) = (turn, wanted, ct);
        }

        /// <summary>The position of the moment; null as long as nothing was read.</summary>
        public long? Position { get; private set; }

        /// <summary>A page of a list.</summary>
        /// <inheritdoc cref="ResourceDoor.ListAsync"/>
        public async Task<Reply<ResourcePage>> ListAsync(
            ResourceSelection asked,
            ResourceSort sort,
            object[]? after,
            int limit,
            CountKind count
        )
        {
            if (Lacks(caller, ListPermissions(asked.IncludeDeleted)) is { } lack)
                return Reply<ResourcePage>.Refused(lack);
            var selection = await door.SelectAsync(caller, asked, sort);
            try
            {
                return await BeginAsync(() =>
                    queries.PageAsync(selection, sort, after, limit, SmallPageBytes, count, Position ?? wanted, ct)
                );
            }
            catch (NotIndexedException e)
            {
                return Reply<ResourcePage>.Refused(NotIndexed(e, "sort"));
            }
            catch (OtherOrderException)
            {
                return Reply<ResourcePage>.Refused(OtherOrder);
            }
        }

        /// <summary>Live resources within reach, by the first of some ids, as far as one statement reads.</summary>
        public async Task<Reply<(IReadOnlyDictionary<Guid, ResourceRow> Rows, int Seen)>> OfFirstIdsAsync(Guid[] ids)
        {
            if (await WaitAsync() is { } behind)
                return Reply<(IReadOnlyDictionary<Guid, ResourceRow>, int)>.Refused(behind);
            var found = await queries.OfIdsAsync(ReachOf(caller, includeDeleted: false), ids, MaxReferredBytes, ct);
            return new(found, 0, Position!.Value, false, null);
        }

        /// <summary>Live resources within reach, by their ids: by one statement, or as many as their metadata needs.</summary>
        /// <exception cref="TooMuchReadException">They have more metadata than one operation may read.</exception>
        public async Task<Reply<IReadOnlyDictionary<Guid, ResourceRow>>> OfIdsAsync(Guid[] ids)
        {
            if (await WaitAsync() is { } behind)
                return Reply<IReadOnlyDictionary<Guid, ResourceRow>>.Refused(behind);
            var rows = new Dictionary<Guid, ResourceRow>();
            for (var rest = ids; rest is not []; )
            {
                var found = await queries.OfIdsAsync(
                    ReachOf(caller, includeDeleted: false),
                    rest,
                    MaxReferredBytes,
                    ct
                );
                foreach (var (id, row) in found.Rows)
                    rows[id] = row;
                rest = rest[found.Seen..];
                await CountAsync(found.Rows.Values, isMore: rest is not []);
            }
            return new(rows, 0, Position!.Value, false, null);
        }

        /// <summary>Live resources within reach that refer to others, by the ids of those.</summary>
        /// <inheritdoc cref="ResourceQueries.ReferringAsync"/>
        public async Task<Reply<(IReadOnlyList<(Guid To, ResourceRow Row)> Rows, bool IsCut)>> ReferringAsync(
            string type,
            string[] path,
            Guid[] ids,
            (DateTimeOffset Created, Guid Id)? after,
            int limit
        )
        {
            if (await WaitAsync() is { } behind)
                return Reply<(IReadOnlyList<(Guid, ResourceRow)>, bool)>.Refused(behind);
            var found = await queries.ReferringAsync(
                ReachOf(caller, includeDeleted: false),
                type,
                path,
                ids,
                after,
                limit,
                MaxReferredBytes,
                ct
            );
            await CountAsync(found.Rows.Select(each => each.Row), isMore: false);
            return new(found, 0, Position!.Value, false, null);
        }

        /// <summary>Hands over the memory of what was read, for as long as that is in use; null where it needs none.</summary>
        public MemoryLease? TakeMemory() => Interlocked.Exchange(ref memory, null);

        /// <summary>Takes memory for rows beyond those that nobody counts.</summary>
        async ValueTask CountAsync(IEnumerable<ResourceRow> rows, bool isMore)
        {
            var bytes = rows.Sum(row => (long)row.Resource.Metadata.Utf8.Length);
            // References and their inverses are read at a time.
            await counting.WaitAsync(ct);
            try
            {
                await CountAsync(bytes, isMore);
            }
            finally
            {
                counting.Release();
            }
        }

        async ValueTask CountAsync(long bytes, bool isMore)
        {
            read += bytes;
            if (read <= MaxReferredBytes && !isMore)
                return;
            memory ??= await door.ReferenceMemoryAsync(caller, ct);
            if (read > Math.Max(MaxReferredBytes, memory.Size / Copies))
                throw door.TooMuchFor(caller, memory);
        }

        /// <summary>Has a moment that nothing was read of begin late enough; answers why it cannot.</summary>
        public async Task<Rejection?> WaitAsync()
        {
            await first.WaitAsync(ct);
            try
            {
                if (Position is not null)
                    return null;
                var reached = await door.WaitAsync(wanted, ct);
                if (reached.Rejection is null)
                    Position = await queries.PositionAsync(ct);
                return reached.Rejection;
            }
            finally
            {
                first.Release();
            }
        }

        /// <summary>The first read finds the moment; where that is too early, it waits and begins anew.</summary>
        async Task<Reply<ResourcePage>> BeginAsync(Func<Task<ResourcePage>> read)
        {
            await first.WaitAsync(ct);
            try
            {
                var page = await read();
                if (Position is null && page.Position < (wanted ?? page.Head))
                {
                    await moment.EndAsync();
                    var reached = await door.WaitAsync(wanted ?? page.Head, ct);
                    if (reached.Rejection is { } behind)
                        return Reply<ResourcePage>.Refused(behind);
                    wanted = reached.Value.Position;
                    page = await read();
                }
                Position ??= page.Position;
                return new(page, 0, page.Position, false, null);
            }
            finally
            {
                first.Release();
            }
        }

        public async ValueTask DisposeAsync()
        {
            try
            {
                await moment.DisposeAsync();
            }
            finally
            {
                turn.Dispose();
                first.Dispose();
                counting.Dispose();
                memory?.Dispose();
            }
        }
    }
}

/// <summary>What an operation refers to has more metadata than it may read.</summary>
public sealed class TooMuchReadException : Exception;
