using System.Collections.Concurrent;

namespace Resources.Grains;

/// <summary>
/// The types as this node knows them, compiled. It may be a moment behind the log, and is only a guess: the fence of an
/// append decides, and whoever finds that it has moved has the book read again.
/// </summary>
public sealed class TypeBook(EventLog log, Snapshots snapshots)
{
    /// <summary>Names of free types are made up by callers: the rules of so many are kept.</summary>
    const int MaxFree = 10_000;

    readonly ConcurrentDictionary<string, TypeRules> declared = new();
    readonly ConcurrentDictionary<string, TypeRules> free = new();
    readonly ConcurrentDictionary<string, Lazy<Task<TypeRules>>> reading = new();

    /// <summary>Tells of every change of a type that the book has learnt of.</summary>
    public event Action<TypeRules>? Changed;

    /// <summary>Every name that was ever declared, as far as this node knows.</summary>
    public IEnumerable<TypeRules> All => declared.Values;

    /// <summary>The rules of a name, declared or not.</summary>
    public TypeRules this[string name] =>
        declared.TryGetValue(name, out var rules) || free.TryGetValue(name, out rules) ? rules : Note(name);

    /// <summary>Reads what a type is now. Callers at the same time share a read that began after they asked.</summary>
    public async Task<TypeRules> RefreshAsync(string name)
    {
        if (reading.TryGetValue(name, out var before))
            await before.Value.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await reading.GetOrAdd(name, _ => new(() => ReadAsync(name))).Value;
    }

    async Task<TypeRules> ReadAsync(string name)
    {
        // Whoever comes from here on waits for the next read.
        await Task.Yield();
        try
        {
            var before = this[name];
            var (state, head) = await FoldAsync(TypeState.StreamOf(name), before);
            if (head == before.Head)
                return before;
            var rules = TypeRules.Of(name, head, state, before);
            declared[name] = rules;
            free.TryRemove(name, out _);
            Changed?.Invoke(rules);
            return rules;
        }
        finally
        {
            reading.TryRemove(name, out _);
        }
    }

    /// <summary>The state of a stream, from what is known of it on.</summary>
    async Task<(TypeState? State, long Head)> FoldAsync(Guid stream, TypeRules? known)
    {
        var (head, _) = await log.HeadAsync(stream);
        if (head == known?.Head)
            return (known.State, head);
        // After a restore of the log it may be shorter than what is known.
        var (state, version) = known is not null && known.Head < head ? (known.State, known.Head) : default;
        if (state is null && await snapshots.LoadAsync<TypeState>(stream) is { } saved)
            (state, version) = (saved.State, saved.Version);
        foreach (var stored in await log.ReadAsync(stream, version))
            if (stored.Data is TypeEvent happened)
            {
                state = TypeState.Evolve(
                    state,
                    new(happened, stored.Version, stored.Sequence, stored.Timestamp, stored.UserName!)
                );
                version = stored.Version;
            }
        return (state, version);
    }

    TypeRules Note(string name)
    {
        if (free.Count >= MaxFree)
            free.Clear();
        return free.GetOrAdd(name, TypeRules.Free);
    }
}
