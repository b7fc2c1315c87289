using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>What has become of an account since a token of it was issued.</summary>
/// <param name="Version">The version of the account that this is.</param>
/// <param name="Roles">Its roles now; null = as they were.</param>
/// <param name="Active">Whether it may have sessions; null = as it was.</param>
/// <param name="SessionsEnded">
/// Sessions of tokens that were issued before this version are over, but for the kept one.
/// </param>
sealed record AccountMark(
    long Version,
    string[]? Roles,
    bool? Active,
    long SessionsEnded,
    Guid? KeptSession,
    DateTimeOffset At
);

/// <summary>
/// Who may do what, as this node knows it: the roles, and what has become of sessions, accounts and keys in the last
/// minutes. It follows the log, a moment behind its head; what tokens say is checked against it without asking anyone.
/// Older changes are in the tokens themselves, which do not live so long.
/// </summary>
public sealed class AccessBook(AccessLog log, LogNews news, TimeProvider time, ILogger<AccessBook> logger)
    : BackgroundService
{
    /// <summary>Changes are remembered for so long: longer than any access token lives, with its skew.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromMinutes(70);

    /// <summary>Without news the log is looked at this often; with news, no more often than the minimum says.</summary>
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(250);

    static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(50);
    static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(1);

    readonly ConcurrentDictionary<Guid, AccountMark> marks = new();
    readonly ConcurrentDictionary<Guid, DateTimeOffset> ended = new();
    readonly ConcurrentDictionary<string, PermissionSet> roles = new(Permissions.BuiltIn);
    long position;
    long version = 1;
    long seen;
    long swept = Stopwatch.GetTimestamp();

    /// <summary>Grows at every change of the roles.</summary>
    public long RolesVersion => Volatile.Read(ref version);

    /// <summary>The position up to which the log was read.</summary>
    public long Position => Volatile.Read(ref position);

    /// <summary>Why the log cannot be read; null while it can.</summary>
    public string? Fault { get; private set; }

    /// <summary>
    /// Tells, after the book has changed, of the account, session or key that an event was about; an empty id is a
    /// change of roles.
    /// </summary>
    public event Action<Guid>? Changed;

    /// <summary>The roles there are.</summary>
    public IReadOnlyCollection<string> Roles => [.. roles.Keys];

    /// <summary>What some roles allow together; those that do not exist allow nothing.</summary>
    public PermissionSet PermissionsOf(IEnumerable<string> names) =>
        PermissionSet.Union(names.Select(name => roles.GetValueOrDefault(name)).OfType<PermissionSet>());

    /// <summary>Whether a credential that was good at a version of its account is good no more.</summary>
    /// <param name="credential">A session or an API key.</param>
    /// <param name="isSession">Sessions end with a change of the password; keys do not.</param>
    public bool IsOver(Guid credential, bool isSession, Guid account, long accountVersion) =>
        ended.ContainsKey(credential)
        || marks.TryGetValue(account, out var mark)
            && mark.Version > accountVersion
            && (
                mark.Active is false
                || isSession && accountVersion < mark.SessionsEnded && credential != mark.KeptSession
            );

    /// <summary>
    /// The roles that an account has now and the version that they are of, where they have changed since a version.
    /// </summary>
    public (string[] Roles, long Version)? RolesSince(Guid account, long accountVersion) =>
        marks.TryGetValue(account, out var mark) && mark.Version > accountVersion && mark.Roles is { } changed
            ? (changed, mark.Version)
            : null;

    /// <summary>Reads what tokens may not know yet, before any is accepted.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        Apply(await log.RolesAsync(cancellationToken));
        var (recent, head) = await log.SinceAsync(time.GetUtcNow() - Remembered, cancellationToken);
        Apply(recent);
        Volatile.Write(ref position, head);
        await base.StartAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Loop("Reading the log for changes of access", logger)
        {
            Every = MinInterval,
            RetryDelay = PollInterval,
            Failed = e => Fault = e.Message,
        }.RunAsync(FollowAsync, stoppingToken);

    async Task FollowAsync(CancellationToken ct)
    {
        seen = await news.Grown.WaitAsync(seen, PollInterval, ct);
        while (await log.AfterAsync(Position, ct) is var (events, reached) && reached > Position)
        {
            Apply(events);
            Volatile.Write(ref position, reached);
        }
        Fault = null;
        if (Stopwatch.GetElapsedTime(swept) > SweepInterval)
        {
            swept = Stopwatch.GetTimestamp();
            Forget(time.GetUtcNow() - Remembered);
        }
    }

    void Apply(IReadOnlyList<AccessEvent> events)
    {
        foreach (var happened in events)
        {
            switch (happened.Data)
            {
                case RoleCreated e:
                    Define(e.Name, e.Permissions);
                    break;
                case RoleChanged e:
                    Define(e.Name, e.Permissions);
                    break;
                case RoleDeleted e:
                    roles.TryRemove(e.Name, out _);
                    Interlocked.Increment(ref version);
                    break;
                case SessionEnded or ApiKeyRevoked:
                    ended[happened.Stream] = happened.At;
                    break;
                case AccountEvent e:
                    Mark(happened, e);
                    break;
                case SessionAuthenticated:
                    break;
                default:
                    continue;
            }
            Changed?.Invoke(happened.Data is RoleEvent ? Guid.Empty : happened.Stream);
        }
    }

    void Define(string name, string[] permissions)
    {
        roles[name] = PermissionSet.Of(permissions);
        Interlocked.Increment(ref version);
    }

    void Mark(AccessEvent happened, AccountEvent data)
    {
        var before = marks.GetValueOrDefault(happened.Stream) ?? new(0, null, null, 0, null, happened.At);
        if (happened.Version <= before.Version)
            return;
        var mark = before with { Version = happened.Version, At = happened.At };
        AccountMark Ended(Guid? kept) => mark with { SessionsEnded = happened.Version, KeptSession = kept };
        marks[happened.Stream] = data switch
        {
            AccountPasswordChanged { Means: not "rehash" } e => Ended(e.KeptSession),
            AccountSessionsEnded e => Ended(e.KeptSession),
            AccountDisabled or AccountDeleted => Ended(null) with { Active = false },
            AccountEnabled => mark with { Active = true },
            AccountRolesChanged e => mark with { Roles = e.Roles },
            _ => mark,
        };
    }

    void Forget(DateTimeOffset before)
    {
        foreach (var pair in marks)
            if (pair.Value.At < before)
                marks.TryRemove(pair);
        foreach (var pair in ended)
            if (pair.Value < before)
                ended.TryRemove(pair);
    }
}
