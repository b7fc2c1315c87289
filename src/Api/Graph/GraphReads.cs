using GraphQL.DataLoader;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What an operation reads: lists, and what their rows refer to, of one moment.</summary>
sealed class GraphReads : IAsyncDisposable
{
    readonly Caller caller;
    readonly ResourceDoor door;
    long? wanted;
    readonly CancellationTokenSource ending;
    readonly CancellationToken ct;

    readonly Lock gathering = new();
    readonly SemaphoreSlim beginning = new(1);
    ResourceDoor.MomentReads? moment;
    readonly List<MemoryLease> memories = [];
    readonly Dictionary<GraphInverse, InverseBatch> inverses = [];
    Batch? batch;

    /// <param name="caller">Who reads.</param>
    /// <param name="wanted">The position that the moment must have passed; null = the log's head.</param>
    public GraphReads(Caller caller, ResourceDoor door, long? wanted, CancellationToken ct)
    {
        (this.caller, this.door, this.wanted) = (caller, door, wanted);
        ending = CancellationTokenSource.CreateLinkedTokenSource(ct);
        // Behind the end that the library sets, which is told as one.
        ending.CancelAfter(GraphExecutor.MaxTime + TimeSpan.FromSeconds(1));
        this.ct = ending.Token;
    }

    /// <summary>So many resources are shown as what others refer to, or by: lists of lists grow fast.</summary>
    const int MostReferred = 20_000;

    int referred;

    void Count(int more)
    {
        if (Interlocked.Add(ref referred, more) > MostReferred)
            throw new RefusedError(
                ProblemType.TooComplex,
                $"An operation shows at most {MostReferred} resources by references."
            );
    }

    /// <summary>Whether there is one list and nothing else to read, which needs no transaction.</summary>
    public bool IsSingle { get; set; }

    /// <summary>The position that everything is of that was read so far.</summary>
    public long? Position { get; private set; }

    public async Task<ResourcePage> ListAsync(ListRequest list)
    {
        using var span = GraphTelemetry.Activities.StartActivity("list");
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
            : await (await MomentAsync()).ListAsync(list.Selection, list.Sort, list.After, list.Limit + 1, list.Count);
        if (reply.Rejection is { } rejection)
            throw new RefusedError(rejection);
        Saw(reply.Position);
        return reply.Value!;
    }

    /// <summary>Resources by their ids, of the moment.</summary>
    public async Task<IReadOnlyDictionary<Guid, ResourceRow>> OfIdsAsync(Guid[] ids)
    {
        using var span = GraphTelemetry.Activities.StartActivity("references");
        var reply = await (await MomentAsync()).OfIdsAsync(ids);
        if (reply.Rejection is { } rejection)
            throw new RefusedError(rejection);
        Saw(reply.Position);
        return reply.Value!;
    }

    /// <summary>The first of some resources, of the moment: as many as one statement reads.</summary>
    /// <returns>Those that are there, and how many were looked for.</returns>
    public async Task<(IReadOnlyDictionary<Guid, ResourceRow> Rows, int Seen)> OfFirstIdsAsync(Guid[] ids)
    {
        var reply = await (await MomentAsync()).OfFirstIdsAsync(ids);
        if (reply.Rejection is { } rejection)
            throw new RefusedError(rejection);
        Saw(reply.Position);
        return reply.Value;
    }

    /// <summary>Notes a write of the operation: what is read from now on has passed it.</summary>
    public async Task WroteAsync(long position)
    {
        Saw(position);
        await beginning.WaitAsync(ct);
        try
        {
            if (wanted is { } before)
                wanted = Math.Max(before, position);
            if (moment is not null)
            {
                if (moment.TakeMemory() is { } memory)
                    memories.Add(memory);
                await moment.DisposeAsync();
            }
            moment = null;
        }
        finally
        {
            beginning.Release();
        }
    }

    /// <summary>Hands the memory of what was read to whoever sends it.</summary>
    public IEnumerable<MemoryLease> TakeMemory()
    {
        if (moment?.TakeMemory() is { } memory)
            memories.Add(memory);
        MemoryLease[] taken = [.. memories];
        memories.Clear();
        return taken;
    }

    /// <summary>The position at which events that are read end.</summary>
    public async Task<long> EndOfEventsAsync()
    {
        if (Position is { } known)
            return known;
        if (IsSingle)
        {
            Saw(await door.HeadAsync(ct));
            return Position!.Value;
        }
        var moment = await MomentAsync();
        if (await moment.WaitAsync() is { } rejection)
            throw new RefusedError(rejection);
        Saw(moment.Position!.Value);
        return moment.Position.Value;
    }

    void Saw(long position) => Position = Math.Max(Position ?? 0, position);

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
        await ending.CancelAsync();
        foreach (var memory in TakeMemory())
            memory.Dispose();
        if (moment is not null)
            await moment.DisposeAsync();
        ending.Dispose();
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

    /// <summary>What refers to a resource. All that is asked for alike before the first is needed is read by one statement.</summary>
    public IDataLoaderResult Referring(Guid to, GraphInverse inverse)
    {
        lock (gathering)
        {
            if (!inverses.TryGetValue(inverse, out var group) || group.IsRead)
                inverses[inverse] = group = new(this, inverse);
            group.Ids.Add(to);
            return new Inverse(group, to);
        }
    }

    /// <summary>Ids whose referrers are read together.</summary>
    sealed class InverseBatch(GraphReads reads, GraphInverse inverse)
    {
        Task<(ILookup<Guid, ResourceRow> Rows, bool IsCut)>? reading;

        public GraphReads Reads => reads;

        public HashSet<Guid> Ids { get; } = [];

        public GraphInverse Asked => inverse;

        public bool IsRead => reading is not null;

        public Task<(ILookup<Guid, ResourceRow> Rows, bool IsCut)> ReadAsync()
        {
            lock (reads.gathering)
                return reading ??= ReadNowAsync();
        }

        async Task<(ILookup<Guid, ResourceRow> Rows, bool IsCut)> ReadNowAsync()
        {
            using var span = GraphTelemetry.Activities.StartActivity("referrers");
            var moment = await reads.MomentAsync();
            var reply = await moment.ReferringAsync(
                inverse.Type,
                inverse.Path.Split('/'),
                [.. Ids],
                inverse.After,
                inverse.First + 1
            );
            if (reply.Rejection is { } rejection)
                throw new RefusedError(rejection);
            reads.Saw(reply.Position);
            var (rows, isCut) = reply.Value;
            return (rows.ToLookup(each => each.To, each => each.Row), isCut);
        }
    }

    sealed class Inverse(InverseBatch batch, Guid to) : IDataLoaderResult
    {
        public async Task<object?> GetResultAsync(CancellationToken cancellationToken = default)
        {
            var (all, isCut) = await batch.ReadAsync();
            var rows = all[to].ToArray();
            batch.Reads.Count(rows.Length);
            var asked = batch.Asked;
            return new GraphPage(
                [.. rows.Take(asked.First)],
                isCut || rows.Length > asked.First,
                asked.After is not null,
                null,
                asked.CursorOf
            );
        }
    }

    /// <summary>Ids that are read together.</summary>
    sealed class Batch(GraphReads reads)
    {
        Task<IReadOnlyDictionary<Guid, ResourceRow>>? reading;

        public GraphReads Reads => reads;

        public HashSet<Guid> Ids { get; } = [];

        public bool IsRead => reading is not null;

        public Task<IReadOnlyDictionary<Guid, ResourceRow>> ReadAsync()
        {
            lock (reads.gathering)
                return reading ??= ReadNowAsync();
        }

        Task<IReadOnlyDictionary<Guid, ResourceRow>> ReadNowAsync() => reads.OfIdsAsync([.. Ids]);
    }

    sealed class Reference(Batch batch, Guid[] ids, string type, bool isList) : IDataLoaderResult
    {
        public async Task<object?> GetResultAsync(CancellationToken cancellationToken = default)
        {
            var all = await batch.ReadAsync();
            batch.Reads.Count(ids.Length);
            var rows = ids.Select(all.GetValueOrDefault).Where(row => row?.Resource.Type == type);
            return isList ? rows.ToArray() : rows.FirstOrDefault();
        }
    }
}

/// <summary>What is asked of those that refer to a resource.</summary>
/// <param name="Type">Their type.</param>
/// <param name="Path">Where in their metadata the reference is: steps, joined by slashes.</param>
/// <param name="After">Time and id of one of them, behind which those that are shown come.</param>
sealed record GraphInverse(
    string Type,
    string Path,
    (DateTimeOffset Created, Guid Id)? After,
    int First,
    Func<ResourceRow, string> CursorOf
)
{
    public bool Equals(GraphInverse? other) =>
        other is not null && (Type, Path, After, First) == (other.Type, other.Path, other.After, other.First);

    public override int GetHashCode() => HashCode.Combine(Type, Path, After, First);
}
