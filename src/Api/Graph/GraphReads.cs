using GraphQL.DataLoader;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What an operation reads: lists, and what their rows refer to, of one moment.</summary>
/// <param name="wanted">The position that the moment must have passed; null = the log's head.</param>
sealed class GraphReads(Caller caller, ResourceDoor door, long? wanted, CancellationToken ct) : IAsyncDisposable
{
    readonly Lock gathering = new();
    readonly SemaphoreSlim beginning = new(1);
    ResourceDoor.MomentReads? moment;
    Batch? batch;

    /// <summary>Whether there is one list and nothing else to read, which needs no transaction.</summary>
    public bool IsSingle { get; set; }

    /// <summary>The position that everything is of that was read so far.</summary>
    public long? Position { get; private set; }

    public async Task<ResourcePage> ListAsync(ListRequest list)
    {
        var reply = IsSingle
            ? await door.ListAsync(
                caller,
                list.Selection,
                list.Sort,
                list.After,
                list.Limit + 1,
                list.Count,
                wanted,
                ct
            )
            : await (await MomentAsync()).ListAsync(
                list.Selection,
                list.Sort,
                list.After,
                list.Limit + 1,
                list.Count
            );
        if (reply.Rejection is { } rejection)
            throw new RefusedError(rejection);
        Position = reply.Position;
        return reply.Value!;
    }

    /// <summary>Notes a write of the operation.</summary>
    public void Wrote(long position) => Position = Math.Max(Position ?? 0, position);

    async Task<ResourceDoor.MomentReads> MomentAsync()
    {
        await beginning.WaitAsync(ct);
        try
        {
            return moment ??= await door.BeginAsync(caller, wanted, ct);
        }
        finally
        {
            beginning.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (moment is not null)
            await moment.DisposeAsync();
        beginning.Dispose();
    }

    public async Task<ResourceRow?> GetAsync(Guid id, Moment? moment)
    {
        var reply = await door.GetAsync(caller, id, moment);
        return reply.Rejection switch
        {
            null => new(id, reply.Version, reply.Value!),
            { Kind: Refusal.NotFound or Refusal.Deleted or Refusal.VersionNotFound } => null,
            var rejection => throw new RefusedError(rejection),
        };
    }

    /// <summary>Resources by their ids. All that are asked for before the first is needed are read by one statement.</summary>
    public IDataLoaderResult Refer(Guid[] ids, string type, bool isList)
    {
        lock (gathering)
        {
            if (batch is null or { IsRead: true })
                batch = new(this);
            batch.Ids.UnionWith(ids);
            return new Reference(batch, ids, type, isList);
        }
    }

    /// <summary>Ids that are read together.</summary>
    sealed class Batch(GraphReads reads)
    {
        Task<IReadOnlyDictionary<Guid, ResourceRow>>? reading;

        public HashSet<Guid> Ids { get; } = [];

        public bool IsRead => reading is not null;

        public Task<IReadOnlyDictionary<Guid, ResourceRow>> ReadAsync()
        {
            lock (reads.gathering)
                return reading ??= ReadNowAsync();
        }

        async Task<IReadOnlyDictionary<Guid, ResourceRow>> ReadNowAsync()
        {
            var moment = await reads.MomentAsync();
            var rows = await moment.OfIdsAsync([.. Ids]);
            reads.Position = moment.Position;
            return rows;
        }
    }

    sealed class Reference(Batch batch, Guid[] ids, string type, bool isList) : IDataLoaderResult
    {
        public async Task<object?> GetResultAsync(CancellationToken cancellationToken = default)
        {
            var all = await batch.ReadAsync();
            var rows = ids.Select(all.GetValueOrDefault).Where(row => row?.Resource.Type == type);
            return isList ? rows.ToArray() : rows.FirstOrDefault();
        }
    }
}
