using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Keeps a node's <see cref="TypeBook"/> a moment behind the log. The book has every declared type before the node serves
/// anything.
/// </summary>
public sealed class TypeFollower(
    ControlDb db,
    ReadIndex index,
    LogNews news,
    StoreContact contact,
    StoreStart start,
    TypeBook types,
    ILogger<TypeFollower> logger
) : BackgroundService
{
    /// <summary>Without news the log is looked at this often; with news, no more often than the minimum says.</summary>
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(50);

    long position;
    long seen;
    volatile bool isOfAnotherEpoch;

    /// <summary>The position up to which the log was read.</summary>
    public long Position => Volatile.Read(ref position);

    /// <summary>
    /// The names of all types that are declared, or are just being declared: each has its names among the unique values.
    /// </summary>
    public Task<List<string>> NamesAsync(CancellationToken ct) =>
        db.QueryAsync(
            """
            select distinct e.data ->> 'name' from unique_claims c join mt_events e on e.stream_id = c.resource and e.version = 1 where c.scope = $1
            """,
            [Arg.Of(TypeNames.Scope)],
            reader => reader.GetString(0),
            ct
        );

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await start.ReadAsync("the declared types", ReadAllAsync, cancellationToken);
        contact.EpochBegan += () => isOfAnotherEpoch = true;
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Loop("Reading the log for changes of types", logger)
        {
            Every = MinInterval,
            RetryDelay = PollInterval,
        }.RunAsync(FollowAsync, stoppingToken);

    async Task ReadAllAsync(CancellationToken ct)
    {
        var head = await index.HeadAsync(ct);
        await RefreshAsync(types.All.Select(known => known.Name).Union(await NamesAsync(ct)));
        Volatile.Write(ref position, head);
    }

    /// <summary>
    /// Makes sure that the book is no older than this call, without waiting for its own turn; returns the position of that.
    /// </summary>
    public async Task<long> CatchUpAsync(CancellationToken ct)
    {
        if (isOfAnotherEpoch)
            await RefreshAsync(types.All.Select(known => known.Name).Union(await NamesAsync(ct)));
        var from = Position;
        var head = await index.HeadAsync(ct);
        await ReadAsync(from, head, ct);
        return head;
    }

    async Task FollowAsync(CancellationToken ct)
    {
        seen = await news.Grown.WaitAsync(seen, PollInterval, ct);
        if (isOfAnotherEpoch)
        {
            isOfAnotherEpoch = false;
            await ReadAllAsync(ct);
        }
        // Learnt before the events are read: none below it can come later.
        var from = Position;
        var head = await index.HeadAsync(ct);
        await ReadAsync(from, head, ct);
        if (head > from)
            Volatile.Write(ref position, head);
    }

    /// <summary>Reads the types again that have changed between two positions.</summary>
    async Task ReadAsync(long from, long to, CancellationToken ct)
    {
        if (to <= from)
            return;
        await RefreshAsync(
            await db.QueryAsync(
                """
                select distinct first.data ->> 'name' from mt_events e join mt_events first on first.stream_id = e.stream_id and first.version = 1
                where e.seq_id > $1 and e.seq_id <= $2 and e.type not like 'resource.%' and e.type like 'type.%'
                """,
                [Arg.Of(from), Arg.Of(to)],
                reader => reader.GetString(0),
                ct
            )
        );
    }

    Task RefreshAsync(IEnumerable<string> names) => Task.WhenAll(names.Select(types.RefreshAsync));
}
