using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Claims;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>
/// What the callers of open streams may still see. A stream ends with its token, and follows the roles of its account: one that
/// was lost counts within a second on every node, one that was gained with the next token.
/// </summary>
public sealed class StreamAccess(AccountQueries accounts, StreamOptions options, Draining draining, TimeProvider time, ILogger<StreamAccess> log) : BackgroundService
{
    static readonly TimeSpan Look = TimeSpan.FromMilliseconds(400);

    readonly ConcurrentDictionary<StreamLease, bool> open = new();

    /// <summary>Streams that are open at this node.</summary>
    public int Count => open.Count;

    /// <summary>Admits a stream; null when the caller, or the node, has as many as allowed.</summary>
    /// <param name="permissions">What the stream needs: it sees as much as the least of them.</param>
    /// <exception cref="StoreUnavailableException">The account cannot be looked at.</exception>
    public async Task<StreamLease?> OpenAsync(ClaimsPrincipal caller, CancellationToken ct, params string[] permissions)
    {
        var lease = new StreamLease(this, caller, permissions, draining.Begun);
        if (open.Count >= options.MaxPerNode || open.Keys.Count(other => other.Account == lease.Account) >= options.MaxPerCaller)
        {
            lease.Dispose();
            return null;
        }
        open.TryAdd(lease, true);
        try
        {
            Update(lease, await accounts.RolesAsync([lease.Account], ct));
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    internal void Close(StreamLease lease) => open.TryRemove(lease, out _);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(Look, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (open.IsEmpty) continue;
            try
            {
                var leases = open.Keys;
                var roles = await accounts.RolesAsync([.. leases.Select(lease => lease.Account).Distinct()], stoppingToken);
                foreach (var lease in leases) Update(lease, roles);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Without the store no event comes either; tokens still run out.
                foreach (var lease in open.Keys) lease.EndIfExpired(time.GetUtcNow());
                if (e is not StoreUnavailableException) log.LogError(e, "The roles of streams' accounts cannot be looked at");
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    void Update(StreamLease lease, IReadOnlyDictionary<Guid, string[]> roles)
    {
        if (!lease.EndIfExpired(time.GetUtcNow())) lease.Narrow(roles.GetValueOrDefault(lease.Account, []));
    }
}

/// <summary>The right to one open stream, until it is disposed.</summary>
public sealed class StreamLease : IDisposable
{
    readonly StreamAccess streams;
    readonly string[] roles;
    readonly string[] permissions;
    readonly DateTimeOffset expires;
    readonly CancellationToken leaving;
    readonly Lock gate = new();
    CancellationTokenSource changed;
    StreamEnd? end;
    bool closed;

    internal StreamLease(StreamAccess streams, ClaimsPrincipal caller, string[] permissions, CancellationToken leaving)
    {
        (this.streams, this.permissions, this.leaving) = (streams, permissions, leaving);
        Account = Guid.Parse(caller.FindFirstValue("sub")!);
        roles = [.. caller.FindAll(Access.RoleClaim).Select(claim => claim.Value)];
        expires = DateTimeOffset.FromUnixTimeSeconds(long.Parse(caller.FindFirstValue("exp")!, CultureInfo.InvariantCulture));
        changed = CancellationTokenSource.CreateLinkedTokenSource(leaving);
    }

    public Guid Account { get; }

    /// <summary>Why the stream must end; null while it may go on.</summary>
    public StreamEnd? End => leaving.IsCancellationRequested ? StreamEnd.NodeStops : end;

    /// <summary>The owner whose resources alone the stream may tell of; null = all. Holds until <see cref="Changed"/>.</summary>
    public string? Visible { get; private set; }

    /// <summary>Cancelled when <see cref="Visible"/> or <see cref="End"/> has changed; there is another one then. To be taken before they are looked at.</summary>
    public CancellationToken Changed
    {
        get { lock (gate) return changed.Token; }
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

    internal bool EndIfExpired(DateTimeOffset now)
    {
        if (now < expires) return false;
        Change(StreamEnd.TokenExpired, Visible);
        return true;
    }

    /// <summary>Takes the roles that the account has now: of those in the token, the stream keeps these.</summary>
    internal void Narrow(string[] current)
    {
        var kept = roles.Intersect(current).ToArray();
        var reach = permissions.Min(permission => Permissions.Of(kept, permission));
        Change(reach is Reach.None ? StreamEnd.PermissionLost : end, reach is Reach.All ? null : Account.ToString());
    }

    void Change(StreamEnd? ending, string? visible)
    {
        CancellationTokenSource before;
        lock (gate)
        {
            if (closed || ending == end && visible == Visible) return;
            (end, Visible, before) = (ending, visible, changed);
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
    PermissionLost,
    NodeStops,
}
