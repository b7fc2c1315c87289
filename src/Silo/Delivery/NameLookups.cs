using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>Looks up the addresses of a name. It may take as long as it likes, and need not heed the token.</summary>
public delegate Task<IPAddress[]> ResolveName(string name, CancellationToken ct);

/// <summary>
/// Look-ups of names that clients have chosen. A name server that says nothing keeps a thread for many seconds, and
/// nobody can end that. So there are few of them, each has a thread of its own, and who asks waits for a moment only.
/// </summary>
public sealed class NameLookups(ResolveName resolve, TimeProvider time)
{
    /// <summary>For new subscriptions: at a time, and of one account.</summary>
    const int MaxForAccounts = 4;

    /// <summary>For connections to targets at a time.</summary>
    const int MaxForTargets = 16;

    /// <summary>Of these, for the subscriptions of one account. Who has a site has any number of names.</summary>
    const int MaxForOwner = 2;

    const int MaxSilent = 1_000;

    const int MaxWaiting = 50;

    /// <summary>How long one waits for an answer, the turn included.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>How long nobody connects to a name after it was not answered for.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(1);

    readonly FairTurns accounts = new(MaxForAccounts, perCaller: 1, MaxWaiting, time);
    readonly FairTurns targets = new(MaxForTargets, MaxForOwner, MaxWaiting, time);

    /// <summary>What is looked up for connections at this moment, by name: it is asked for once.</summary>
    readonly ConcurrentDictionary<string, Task<IPAddress[]>> asked = new();

    /// <summary>Names that nobody has answered for, and when.</summary>
    readonly ConcurrentDictionary<string, DateTimeOffset> silent = new();

    /// <summary>Looks a name up on a thread of its own.</summary>
    public static Task<IPAddress[]> OnOwnThreadAsync(string name, CancellationToken ct) =>
        Task.Factory.StartNew(
            () => Dns.GetHostAddresses(name),
            ct,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );

    /// <summary>The addresses of a name that an account asks for; none when it has none.</summary>
    /// <exception cref="WebhookTargetException">There was no answer in time.</exception>
    public Task<IPAddress[]> ForAccountAsync(string account, string name, CancellationToken ct) =>
        LookUpAsync(accounts, account, turn => ResolveAsync(turn, name), static () => { }, ct);

    /// <summary>The same for a connection of a subscription.</summary>
    /// <param name="owner">The account that has the subscription.</param>
    /// <inheritdoc cref="ForAccountAsync"/>
    public async Task<IPAddress[]> ForTargetAsync(string owner, string name, CancellationToken ct)
    {
        if (silent.TryGetValue(name, out var since) && time.GetUtcNow() - since < Silence)
            throw NoAnswer();
        return await LookUpAsync(targets, owner, turn => ResolveOnceAsync(turn, name), () => RememberSilence(name), ct);
    }

    /// <param name="onSilence">Is told when there was a turn, and no answer.</param>
    async Task<IPAddress[]> LookUpAsync(
        FairTurns turns,
        string asker,
        Func<IDisposable, Task<IPAddress[]>> ask,
        Action onSilence,
        CancellationToken ct
    )
    {
        var started = time.GetTimestamp();
        var turn = await turns.TakeAsync(asker, Patience, ct) ?? throw NoAnswer();
        var found = ask(turn);
        var left = Patience - time.GetElapsedTime(started);
        try
        {
            return await found.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, ct);
        }
        catch (TimeoutException)
        {
            onSilence();
            throw NoAnswer();
        }
    }

    /// <summary>Whoever asks for what is asked already needs no thread, and gives the turn back.</summary>
    Task<IPAddress[]> ResolveOnceAsync(IDisposable turn, string name)
    {
        var answer = new TaskCompletionSource<IPAddress[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = asked.GetOrAdd(name, answer.Task);
        if (first == answer.Task)
            _ = AnswerAsync(turn, name, answer);
        else
            turn.Dispose();
        return first;
    }

    async Task AnswerAsync(IDisposable turn, string name, TaskCompletionSource<IPAddress[]> answer)
    {
        var found = ResolveAsync(turn, name);
        await ((Task)found).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        asked.TryRemove(name, out _);
        if (found is { IsCompletedSuccessfully: true, Result: not [] })
            silent.TryRemove(name, out _);
        answer.SetFromTask(found);
    }

    /// <summary>Only so many are remembered; nothing is worse for one that is not than to be asked for again.</summary>
    void RememberSilence(string name)
    {
        var now = time.GetUtcNow();
        if (silent.Count >= MaxSilent)
            foreach (var (old, since) in silent)
                if (now - since >= Silence)
                    silent.TryRemove(old, out _);
        if (silent.Count < MaxSilent)
            silent[name] = now;
        // The answer has come meanwhile.
        if (!asked.ContainsKey(name))
            silent.TryRemove(name, out _);
    }

    /// <summary>The turn lasts as long as the thread is kept, whoever waits.</summary>
    async Task<IPAddress[]> ResolveAsync(IDisposable turn, string name)
    {
        using (turn)
            try
            {
                return await resolve(name, CancellationToken.None);
            }
            catch (SocketException)
            {
                return [];
            }
    }

    static WebhookTargetException NoAnswer() => new("The target's name could not be looked up in time.");
}
