using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Who may do what, as this node knows it: the roles, and what has become of sessions, accounts and keys in the last
/// minutes. It follows the log, a moment behind its head; what tokens say is checked against it without asking anyone.
/// Older changes are in the tokens themselves, which do not live so long. What it cannot know it does not allow.
/// </summary>
public sealed class AccessBook(
    AccessLog log,
    LogNews news,
    StoreContact contact,
    StoreStart start,
    TimeProvider time,
    ILogger<AccessBook> logger
) : BackgroundService
{
    /// <summary>Changes are remembered for so long: longer than any access token lives, with its skew.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromMinutes(70);

    /// <summary>Without a look at the log for so long, credentials are not good at this node.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(5);

    /// <summary>Without news the log is looked at this often; with news, no more often than the minimum says.</summary>
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);

    /// <summary>Another epoch of the log replaces all of it at once.</summary>
    volatile AccessPages pages = new();
    long position;
    long version = 1;
    long seen;
    long lookedAt;
    long swept = Stopwatch.GetTimestamp();
    volatile bool isOfAnotherEpoch;
    volatile string? failure;

    /// <summary>Grows at every change of the roles.</summary>
    public long RolesVersion => Volatile.Read(ref version);

    /// <summary>The position up to which the log was read.</summary>
    public long Position => Volatile.Read(ref position);

    /// <summary>Whether the log was looked at lately, and all that it says of the roles is known.</summary>
    public bool IsCurrent => time.GetElapsedTime(Volatile.Read(ref lookedAt)) < MaxAge && !pages.IsUnknown(RoleBook.Id);

    /// <summary>Why the log cannot be read or understood; null while it can.</summary>
    public string? Fault => pages.Unknown is { } kind ? $"This node does not know events of the kind {kind}." : failure;

    /// <summary>
    /// Tells, after the book has changed, of the account, session or key that an event was about; an empty id is a
    /// change of roles, or of everything.
    /// </summary>
    public event Action<Guid>? Changed;

    /// <summary>What some grants of roles allow together; those of roles that do not exist allow nothing.</summary>
    public PermissionSet PermissionsOf(IEnumerable<string> grants) => pages.PermissionsOf(grants);

    /// <summary>The names of the roles that are held by some grants, without those that do not exist.</summary>
    public string[] NamesOf(IEnumerable<string> grants) => pages.NamesOf(grants);

    /// <summary>The grants of roles that are known by their names.</summary>
    public string[] GrantsOf(IEnumerable<string> names) => pages.GrantsOf(names);

    /// <summary>
    /// Whether something has happened to an account, session or key that this node does not understand: a node of a
    /// later release does.
    /// </summary>
    public bool IsUnknown(Guid subject) => pages.IsUnknown(subject);

    /// <summary>Whether a credential that was good at a version of its account is good no more.</summary>
    /// <param name="credential">A session or an API key.</param>
    /// <param name="isSession">Sessions end with a change of the password; keys do not.</param>
    public bool IsOver(Guid credential, bool isSession, Guid account, long accountVersion) =>
        pages.IsOver(credential, isSession, account, accountVersion);

    /// <summary>
    /// The roles that an account has now and the version that they are of, where they have changed since a version.
    /// </summary>
    public (string[] Roles, long Version)? RolesSince(Guid account, long accountVersion) =>
        pages.RolesSince(account, accountVersion);

    /// <summary>Reads what tokens may not know yet, before any is accepted.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await start.ReadAsync("what is known of access", ReadAllAsync, cancellationToken);
        contact.EpochBegan += () => isOfAnotherEpoch = true;
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Loop("Reading the log for changes of access", logger)
        {
            Every = MinInterval,
            RetryDelay = PollInterval,
            Failed = e => failure = e.Message,
        }.RunAsync(FollowAsync, stoppingToken);

    async Task ReadAllAsync(CancellationToken ct)
    {
        var asked = time.GetTimestamp();
        var fresh = new AccessPages();
        foreach (var happened in await log.RolesAsync(ct))
            fresh.Apply(happened);
        var (recent, head) = await log.SinceAsync(time.GetUtcNow() - Remembered, ct);
        foreach (var happened in recent)
            fresh.Apply(happened);
        pages = fresh;
        Volatile.Write(ref position, head);
        Volatile.Write(ref lookedAt, asked);
        Interlocked.Increment(ref version);
    }

    async Task FollowAsync(CancellationToken ct)
    {
        seen = await news.Grown.WaitAsync(seen, PollInterval, ct);
        if (isOfAnotherEpoch)
        {
            isOfAnotherEpoch = false;
            await ReadAllAsync(ct);
            Changed?.Invoke(Guid.Empty);
        }
        var asked = time.GetTimestamp();
        while (await log.AfterAsync(Position, ct) is var (events, reached) && reached > Position)
        {
            Apply(events);
            Volatile.Write(ref position, reached);
        }
        Volatile.Write(ref lookedAt, asked);
        failure = null;
        if (Stopwatch.GetElapsedTime(swept) > SweepInterval)
        {
            swept = Stopwatch.GetTimestamp();
            pages.Forget(time.GetUtcNow() - Remembered);
        }
    }

    void Apply(IReadOnlyList<AccessEvent> events)
    {
        foreach (var happened in events)
        {
            if (!pages.Apply(happened))
                continue;
            var isOfRoles = happened.Stream == RoleBook.Id;
            if (isOfRoles)
                Interlocked.Increment(ref version);
            Changed?.Invoke(isOfRoles ? Guid.Empty : happened.Stream);
        }
    }
}
