using System.Collections.Concurrent;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Turns at what reads cost a node, fair between accounts: one that asks a lot leaves room for the others, whose reads do
/// not queue behind its own. Whoever needs two turns takes that of its kind first, and nobody searches within one that
/// others wait for.
/// </summary>
public sealed class ReadTurns(DatabaseOptions database, TimeProvider time)
{
    /// <summary>Searches, and reads of the past, of one account at a time.</summary>
    const int PerCaller = 2;

    /// <summary>Reads of one account that wait for a turn.</summary>
    const int MaxWaiting = 200;

    /// <summary>Lists of one account at a time: they keep all processors busy, and more would only keep them from others.</summary>
    public static readonly int MaxListsPerCaller = Math.Max(4, 2 * Environment.ProcessorCount);

    /// <summary>For so long an account's next pages are expected to be like those that it has read.</summary>
    static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);

    /// <summary>More accounts than that are not remembered.</summary>
    const int MaxRemembered = 10_000;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    static readonly TimeSpan PatienceForPast = TimeSpan.FromSeconds(3);

    readonly FairTurns lists = new(database.MaxPoolSize, MaxListsPerCaller, MaxWaiting, time);
    readonly FairTurns searches = new(database.MaxSearchPoolSize, PerCaller, MaxWaiting, time);

    /// <summary>Pages of megabytes keep a processor busy for long: one is left for what is small.</summary>
    readonly FairTurns large = new(Math.Max(1, Environment.ProcessorCount - 1), perCaller: 1, MaxWaiting, time);

    /// <summary>A read of the past goes through a whole stream.</summary>
    readonly FairTurns past = new(database.MaxPoolSize, PerCaller, MaxWaiting, time);

    /// <summary>Whether the pages that accounts have read are of megabytes, and since when that is known.</summary>
    readonly ConcurrentDictionary<string, (bool AreLarge, long At)> pages = new();

    /// <summary>Whether an account has just read pages of megabytes; null when it has not just read any.</summary>
    public bool? ReadsLarge(string caller) =>
        pages.TryGetValue(caller, out var known) && time.GetElapsedTime(known.At) < Memory ? known.AreLarge : null;

    /// <summary>Notes a page. Small ones make nobody forget a large one.</summary>
    void Note(string caller, bool isLarge)
    {
        if (!isLarge && ReadsLarge(caller) is not null)
            return;
        if (pages.Count >= MaxRemembered)
            foreach (var (other, known) in pages)
                if (time.GetElapsedTime(known.At) >= Memory)
                    pages.TryRemove(other, out _);
        if (pages.Count < MaxRemembered)
            pages[caller] = (isLarge, time.GetTimestamp());
    }

    /// <summary>Reads a list, or some of it.</summary>
    /// <param name="isLarge">Whether megabytes are read. A search has no further turn: it may take seconds.</param>
    /// <exception cref="StoreOverloadedException">The account has too many reads under way.</exception>
    public Task<T> ListAsync<T>(
        string caller,
        ResourceSelection selection,
        ResourceSort? sort,
        CountKind count,
        Func<Task<T>> read,
        CancellationToken ct,
        bool isLarge = false
    )
    {
        if (ResourceQueries.IsSearch(selection, sort, count))
            return SearchAsync(caller, ReadAsync, ct);
        // As long as nobody knows how large an account's pages are, it reads one, and the others wait for what is found.
        var most = ReadsLarge(caller) is false ? (int?)null : 1;
        return RunAsync<T>(lists, caller, Patience, isLarge ? ReadLargeAsync : ReadAsync, Busy, ct, most);

        Task<T> ReadLargeAsync() => RunAsync(large, caller, Patience, ReadAsync, Busy, ct);
        async Task<T> ReadAsync()
        {
            var found = await read();
            if (found is not null)
                Note(caller, found is ResourcePage { IsCut: true });
            return found;
        }
    }

    /// <summary>Reads what PostgreSQL has to search or to count.</summary>
    /// <exception cref="SearchesBusyException">The account, or the node, has too many searches under way.</exception>
    public Task<T> SearchAsync<T>(string caller, Func<Task<T>> read, CancellationToken ct) =>
        RunAsync(searches, caller, Patience, read, () => new SearchesBusyException(), ct);

    /// <summary>Takes a turn at what PostgreSQL has to search, for several reads.</summary>
    /// <inheritdoc cref="SearchAsync"/>
    public async ValueTask<IDisposable> TakeSearchAsync(string caller, CancellationToken ct) =>
        await searches.TakeAsync(caller, Patience, ct) ?? throw new SearchesBusyException();

    /// <summary>Reads the past of a resource.</summary>
    /// <exception cref="StoreOverloadedException">The account has too many reads of the past under way.</exception>
    public Task<T> PastAsync<T>(string caller, Func<Task<T>> read, CancellationToken ct) =>
        RunAsync(past, caller, PatienceForPast, read, Busy, ct);

    static StoreOverloadedException Busy() => new("The account has too many reads under way.");

    static async Task<T> RunAsync<T>(
        FairTurns turns,
        string caller,
        TimeSpan patience,
        Func<Task<T>> read,
        Func<StoreOverloadedException> refused,
        CancellationToken ct,
        int? most = null
    )
    {
        using var turn = await turns.TakeAsync(caller, patience, ct, most) ?? throw refused();
        return await read();
    }
}
