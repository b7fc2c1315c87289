using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Resources.Grains;

/// <summary>
/// Knows how long ago this node last heard from PostgreSQL and from the cluster. Two promises rest on it: a node that
/// has been away (paused, cut off) for as long as the others need to replace it does not trust its memory; and a write
/// waits no longer than <see cref="LossAfter"/> for a database that does not answer. Nor does it trust its memory while
/// the cluster settles after a change of its members.
/// </summary>
public sealed class StoreContact(
    NpgsqlDataSource database,
    StoreContact.Membership membership,
    TimeProvider time,
    ILogger<StoreContact> log
) : BackgroundService
{
    /// <summary>Asks whether the cluster still counts this node as a member, over the given connection.</summary>
    public delegate Task<bool> Membership(NpgsqlConnection connection, CancellationToken ct);

    /// <summary>
    /// Memory is trusted for this long after a contact: less than the others need to declare this node dead.
    /// </summary>
    public static readonly TimeSpan TrustFor = TimeSpan.FromSeconds(2);

    /// <summary>
    /// After this long without an answer the store counts as unavailable and waiting writes are answered.
    /// </summary>
    public static readonly TimeSpan LossAfter = TimeSpan.FromMilliseconds(800);

    /// <summary>
    /// For this long after a node has come or gone, an activation may remember what another, made in its place, has
    /// moved on from.
    /// </summary>
    public static readonly TimeSpan SettlesWithin = TimeSpan.FromSeconds(10);

    static readonly TimeSpan Every = TimeSpan.FromMilliseconds(200);

    readonly Lock gate = new();
    long askedAt;
    long heardAt;
    long trustedAt;
    long membersChangedAt;
    CancellationTokenSource loss = new();

    /// <summary>Whether the cluster has counted this node as a member lately.</summary>
    public bool IsMember => Volatile.Read(ref trustedAt) is not 0 and var at && time.GetElapsedTime(at) < TrustFor;

    /// <summary>Whether what a grain remembers may be answered without asking the database.</summary>
    public bool MemoryIsTrusted =>
        IsMember && (Volatile.Read(ref membersChangedAt) is 0 || time.GetElapsedTime(membersChangedAt) > SettlesWithin);

    /// <summary>Whether the database answers.</summary>
    public bool IsAvailable => !Lost.IsCancellationRequested;

    /// <summary>Cancelled while the database is away.</summary>
    public CancellationToken Lost
    {
        get
        {
            lock (gate)
                return loss.Token;
        }
    }

    /// <summary>
    /// Runs work on the database for as long as it answers; a database that goes away ends it at once.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    public async Task<T> WhileAvailableAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken ct = default)
    {
        var lost = Lost;
        if (lost.IsCancellationRequested)
            throw new StoreUnavailableException("PostgreSQL is away.");
        using var either = ct.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(ct, lost) : null;
        try
        {
            // The driver needs a moment to give up on a server that hangs; nobody waits for that.
            return await work(either?.Token ?? lost).WaitAsync(lost);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            throw new StoreUnavailableException("PostgreSQL went away.");
        }
        catch (Exception e) when (e is not StoreUnavailableException && StoreUnavailableException.Explains(e))
        {
            throw new StoreUnavailableException("PostgreSQL is away.", e);
        }
    }

    /// <summary>Reports that the database has just answered somebody.</summary>
    public void Heard()
    {
        lock (gate)
        {
            heardAt = time.GetTimestamp();
            if (!loss.IsCancellationRequested)
                return;
            loss = new();
        }
        log.LogInformation("PostgreSQL answers again");
    }

    /// <summary>
    /// Reports that another node has joined or left the cluster: grains may be moving, and two activations of one may
    /// exist until they have.
    /// </summary>
    public void MembersChanged() => Volatile.Write(ref membersChangedAt, time.GetTimestamp());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var probe = Task.CompletedTask;
        while (!stoppingToken.IsCancellationRequested)
        {
            if (probe.IsCompleted)
                probe = ProbeAsync(stoppingToken);
            else if (Unanswered() is var silence && silence >= LossAfter)
                Lose($"no answer for {silence.TotalMilliseconds:F0} ms");
            await Task.Delay(Every, time, stoppingToken);
        }
    }

    async Task ProbeAsync(CancellationToken ct)
    {
        var asked = time.GetTimestamp();
        lock (gate)
            askedAt = asked;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
            limit.CancelAfter(TimeSpan.FromSeconds(2));
            await using var connection = await database.OpenConnectionAsync(limit.Token);
            var member = await membership(connection, limit.Token);
            Heard();
            Volatile.Write(ref trustedAt, member ? asked : 0);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            // Connections of the pool die with the server: drop them, so that its return is noticed at the first try.
            database.Clear();
            if (e is not OperationCanceledException)
                Lose(e.Message);
        }
    }

    /// <summary>How long the probe under way has waited, unless somebody else was answered meanwhile.</summary>
    TimeSpan Unanswered()
    {
        lock (gate)
            return time.GetElapsedTime(Math.Max(askedAt, heardAt));
    }

    void Lose(string why)
    {
        lock (gate)
        {
            if (loss.IsCancellationRequested)
                return;
            _ = loss.CancelAsync();
        }
        log.LogError("PostgreSQL is away: {Reason}", why);
    }
}
