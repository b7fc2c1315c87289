using Microsoft.Extensions.Logging;

namespace Resources.Grains;

/// <summary>
/// Knows how long ago this node last heard from PostgreSQL and from the cluster. Two promises rest on it: a node that
/// has been away (paused, cut off) for as long as the others need to replace it does not trust its memory; and a write
/// waits no longer than <see cref="LossAfter"/> for a database that does not answer. Nor does it trust its memory while
/// the cluster settles after a change of its members.
/// </summary>
public sealed class StoreContact(TimeProvider time, ILogger<StoreContact> logger)
{
    /// <summary>
    /// Memory is trusted for this long after a contact: less than the others need to declare this node dead.
    /// </summary>
    public static readonly TimeSpan TrustFor = TimeSpan.FromSeconds(1);

    /// <summary>
    /// After this long without an answer the store counts as unavailable and waiting writes are answered.
    /// </summary>
    public static readonly TimeSpan LossAfter = TimeSpan.FromMilliseconds(800);

    /// <summary>
    /// For this long after a node has come or gone, an activation may remember what another, made in its place, has
    /// moved on from.
    /// </summary>
    public static readonly TimeSpan SettlesWithin = TimeSpan.FromSeconds(10);

    readonly Lock gate = new();
    long askedAt;
    long heardAt;
    Trust? trusted;
    long settledAt = long.MinValue;
    int epoch;
    int timeline;
    CancellationTokenSource loss = new();

    /// <summary>
    /// Ends statements, one after the other: the driver holds up whoever cancels while it asks the server to give up a
    /// statement, and a server that hangs does not answer that either.
    /// </summary>
    CancellationTokenSource statements = new();

    /// <summary>Whether the cluster has counted this node as a member lately.</summary>
    public bool IsMember =>
        Volatile.Read(ref trusted) is { } at
        && time.GetElapsedTime(at.Moment) < TrustFor
        // The clock of moments stands still while a machine is suspended.
        && time.GetUtcNow() - at.Time < TrustFor;

    /// <summary>
    /// Whether what a grain remembers may be answered without asking the database: it was compared with its stream at a
    /// moment that no doubt has followed.
    /// </summary>
    /// <param name="comparedAt">The moment, by the clock of this node.</param>
    public bool Trusts(long comparedAt) => comparedAt > Volatile.Read(ref settledAt) && IsMember;

    /// <summary>Whether the database answers.</summary>
    public bool IsAvailable => !Lost.IsCancellationRequested;

    /// <summary>Cancelled while the database is away. For those who wait; no statement may run under it.</summary>
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
        CancellationToken lost;
        CancellationToken end;
        lock (gate)
            (lost, end) = (loss.Token, statements.Token);
        if (lost.IsCancellationRequested)
            throw new StoreUnavailableException("PostgreSQL is away.");
        var either = ct.CanBeCanceled ? new CancellationTokenSource() : null;
        // Not linked sources: to dispose of one is to wait for its callbacks, which the driver may hold up.
        var ended = either is null ? default : end.UnsafeRegister(Cancel, either);
        var given = either is null ? default : ct.UnsafeRegister(Cancel, either);
        try
        {
            // The driver needs a moment to give up on a server that hangs; nobody waits for that.
            return await work(either?.Token ?? end).WaitAsync(lost);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            // One thread tells all who wait, and must not run what each does next.
            await Task.Yield();
            throw new StoreUnavailableException("PostgreSQL went away.");
        }
        catch (Exception e) when (e is not StoreUnavailableException && StoreUnavailableException.Explains(e))
        {
            throw new StoreUnavailableException("PostgreSQL is away.", e);
        }
        finally
        {
            ended.Unregister();
            given.Unregister();
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
            (loss, statements) = (new(), new());
        }
        logger.LogInformation("PostgreSQL answers again");
    }

    /// <summary>
    /// Reports that another node has joined or left the cluster: grains may be moving, and two activations of one may
    /// exist until they have.
    /// </summary>
    public void MembersChanged() =>
        Volatile.Write(
            ref settledAt,
            time.GetTimestamp() + (long)(SettlesWithin.TotalSeconds * time.TimestampFrequency)
        );

    /// <summary>The newest epoch of the log that this node knows; 0 before it has asked.</summary>
    public int Epoch => Volatile.Read(ref epoch);

    /// <summary>
    /// Tells that the log has begun another epoch: what is remembered of its newest events may be gone from it.
    /// </summary>
    public event Action? EpochBegan;

    /// <summary>Why the server must not be used by this node, which has seen others; null while it may.</summary>
    internal string? FaultOf(LogPlace place) =>
        place.Timeline < timeline || place.Epoch < epoch
            ? $"The server has an older log than this node has seen: it is a former primary, or was restored."
            : null;

    /// <summary>Reports what the server has said of the log.</summary>
    internal void Reached(LogPlace place)
    {
        timeline = place.Timeline ?? timeline;
        var before = Interlocked.Exchange(ref epoch, place.Epoch);
        if (before is 0 || before == place.Epoch)
            return;
        Volatile.Write(ref settledAt, time.GetTimestamp());
        EpochBegan?.Invoke();
    }

    /// <summary>Begins to wait for an answer of the database; returns the moment.</summary>
    internal Trust Asked()
    {
        lock (gate)
            return new(askedAt = time.GetTimestamp(), time.GetUtcNow());
    }

    /// <summary>Reports the answer to a question.</summary>
    /// <param name="asked">The moment of the question: the answer may be as old.</param>
    /// <param name="isMember">Whether the cluster counts this node in.</param>
    internal void Answered(Trust asked, bool isMember)
    {
        Heard();
        Volatile.Write(ref trusted, isMember ? asked : null);
    }

    /// <summary>Declares the database lost if neither the question under way nor anybody else was answered.</summary>
    internal void LoseIfSilent()
    {
        TimeSpan silence;
        lock (gate)
            silence = time.GetElapsedTime(Math.Max(askedAt, heardAt));
        if (silence >= LossAfter)
            Lose($"no answer for {silence.TotalMilliseconds:F0} ms");
    }

    /// <summary>Declares the database lost: work on it ends at once.</summary>
    internal void Lose(string why)
    {
        lock (gate)
        {
            if (loss.IsCancellationRequested)
                return;
            _ = loss.CancelAsync();
            _ = CancelAsync(statements);
        }
        logger.LogError("PostgreSQL is away: {Reason}", why);
    }

    static void Cancel(object? source) => ((CancellationTokenSource)source!).Cancel();

    /// <summary>
    /// Cancels statements on a thread of their own: those of the pool may be few, and whoever waits needs one.
    /// </summary>
    internal static Task CancelAsync(CancellationTokenSource statements) =>
        Task.Factory.StartNew(
            statements.Cancel,
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );

    /// <summary>A moment, by the clock that never goes back and by that of the day.</summary>
    internal sealed record Trust(long Moment, DateTimeOffset Time);
}
