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
            await ((Task)before.Value).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return await reading.GetOrAdd(name, _ => new(() => ReadAsync(name))).Value;
    }

    async Task<TypeRules> ReadAsync(string name)
    {
        // Whoever comes from here on waits for the next read.
        await Task.Yield();
        try
        {
            var before = this[name];
            var (state, head, position) = await FoldAsync(before);
            if (position == before.Position)
                return before;
            var rules = TypeRules.Of(name, head, position, state, before);
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

    /// <summary>The state of a type's stream, from what is known of it on.</summary>
    async Task<(TypeState? State, long Head, long Position)> FoldAsync(TypeRules known)
    {
        var stream = known.Fence.Stream;
        var (state, version, position) = (known.State, known.Head, known.Position);
        if ((await log.HeadAsync(stream)).Position == position)
            return (state, version, position);
        // With the newest event that is known: where the log has lost it, another one may be in its place.
        var events = version is 0 ? [] : await log.ReadAsync(stream, version - 1);
        if (events is not [{ Sequence: var found }, ..] || found != position)
        {
            (state, version, position) = await snapshots.LoadAsync<TypeState>(stream) is { } saved
                ? (saved.State, saved.Version, saved.Position)
                : default;
            events = await log.ReadAsync(stream, version);
        }
        foreach (var stored in events)
            if (stored.Version > version && stored.Data is TypeEvent happened)
            {
                state = TypeState.Evolve(
                    state,
                    new(happened, stored.Version, stored.Sequence, stored.Timestamp, stored.UserName!)
                );
                (version, position) = (stored.Version, stored.Sequence);
            }
        return (state, version, position);
    }

    TypeRules Note(string name)
    {
        if (free.Count >= MaxFree)
            free.Clear();
        return free.GetOrAdd(name, TypeRules.Free);
    }
}
