using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// What the callers of open streams may still see. A stream ends with its credential, and follows what the node's book
/// of access says of its caller: what was lost counts within a second on every node.
/// </summary>
public sealed class StreamAccess(AccessBook book, StreamOptions options, StopSignal stop, TimeProvider time)
    : BackgroundService
{
    /// <summary>How late a stream may end after its credential.</summary>
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(400);

    readonly ConcurrentDictionary<StreamLease, bool> open = new();

    /// <summary>Streams that are open at this node.</summary>
    public int Count => open.Count;

    /// <summary>Admits a stream; null when the caller, or the node, has as many as allowed.</summary>
    /// <param name="permissions">What the stream needs: it sees as much as the least of them.</param>
    public StreamLease? Open(Caller caller, params string[] permissions)
    {
        var lease = new StreamLease(this, caller, permissions, stop.Token);
        if (
            open.Count >= options.MaxPerNode
            || open.Keys.Count(other => other.Account == lease.Account) >= options.MaxPerCaller
        )
        {
            lease.Dispose();
            return null;
        }
        // Known to be open before it is looked at: a change in between is not missed.
        open.TryAdd(lease, true);
        lease.Update(time.GetUtcNow());
        return lease;
    }

    internal void Close(StreamLease lease) => open.TryRemove(lease, out _);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        book.Changed += _ => Update();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(PollInterval, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Update();
        }
    }

    void Update()
    {
        var now = time.GetUtcNow();
        foreach (var lease in open.Keys)
            lease.Update(now);
    }
}

/// <summary>The right to one open stream, until it is disposed.</summary>
public sealed class StreamLease : IDisposable
{
    readonly StreamAccess streams;
    readonly Caller caller;
    readonly string[] permissions;
    readonly CancellationToken leaving;
    readonly Lock gate = new();
    CancellationTokenSource changed;
    StreamEnd? end;
    bool closed;

    internal StreamLease(StreamAccess streams, Caller caller, string[] permissions, CancellationToken leaving)
    {
        this.streams = streams;
        this.caller = caller;
        this.permissions = permissions;
        this.leaving = leaving;
        changed = CancellationTokenSource.CreateLinkedTokenSource(leaving);
    }

    public Guid Account => caller.Account;

    /// <summary>The account's id as it stands in events.</summary>
    public string CallerId => caller.Id;

    /// <summary>Why the stream must end; null while it may go on.</summary>
    public StreamEnd? End => leaving.IsCancellationRequested ? StreamEnd.NodeStops : end;

    /// <summary>The resources that the stream may tell of. Holds until <see cref="Changed"/>.</summary>
    public Reach Visible { get; private set; } = Reach.Nothing;

    /// <summary>
    /// Cancelled when <see cref="Visible"/> or <see cref="End"/> has changed; there is another one then. To be taken
    /// before they are looked at.
    /// </summary>
    public CancellationToken Changed
    {
        get
        {
            lock (gate)
                return changed.Token;
        }
    }

    public void Dispose()
    {
        streams.Close(this);
        lock (gate)
        {
            closed = true;
            changed.Dispose();
        }
    }

    /// <summary>Takes what the caller may see now. An end is final.</summary>
    internal void Update(DateTimeOffset now)
    {
        if (end is not null)
            return;
        // Permissions that have no resource in common show nothing, to a list as to a stream; the stream is over with
        // either.
        var scopes = permissions.Select(caller.Permissions.ScopeOf).ToArray();
        var ending =
            now >= caller.Expires ? StreamEnd.TokenExpired
            : caller.IsUncertain ? StreamEnd.NodeStops
            : caller.IsOver ? StreamEnd.SessionOver
            : scopes.Any(scope => scope.IsNothing) ? StreamEnd.PermissionLost
            : (StreamEnd?)null;
        Change(ending, scopes.Aggregate((one, other) => one.Intersect(other)).Of(caller.Id));
    }

    void Change(StreamEnd? ending, Reach visible)
    {
        CancellationTokenSource before;
        lock (gate)
        {
            // An end that another look has found meanwhile stays.
            if (closed || end is not null || ending is null && visible == Visible)
                return;
            end = ending;
            Visible = visible;
            before = changed;
            changed = CancellationTokenSource.CreateLinkedTokenSource(leaving);
        }
        before.Cancel();
        before.Dispose();
    }
}

/// <summary>Why a stream ends before its client leaves.</summary>
public enum StreamEnd
{
    TokenExpired,
    SessionOver,
    PermissionLost,
    NodeStops,
}
