using GraphQL;
using GraphQL.Types;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A schema with a number of its own.</summary>
sealed record GraphSchema(long Number, ISchema Schema);

/// <summary>
/// The schemas of this node: one for each set of types that callers see, at a version of each. They are made once and
/// never changed; an operation keeps the one that it began with. A node may be a moment behind the log, so whoever finds
/// that a document does not fit asks whether there is a newer one.
/// </summary>
sealed class GraphSchemas : IDisposable
{
    /// <summary>So many are kept, and so many types in them.</summary>
    const int Most = 32;

    const int MostTypes = 4_000;

    readonly TypeDoor door;
    readonly TypeBook types;
    readonly DocumentCache documents;
    readonly Func<IReadOnlyList<TypeDefinition>, ISchema> build;
    readonly Lock gate = new();
    readonly Dictionary<string, (Lazy<GraphSchema> Schema, int Types, long Used)> schemas = [];

    /// <summary>The schema of all types, and of which change of the types it is.</summary>
    volatile Whole? whole;

    long uses;
    long made;
    long changes;

    public GraphSchemas(
        TypeDoor door,
        TypeBook types,
        DocumentCache documents,
        GraphQueries queries,
        GraphMutations mutations,
        GraphEvents events,
        GraphChanges following
    )
    {
        (this.door, this.types, this.documents) = (door, types, documents);
        build = seen => new GraphTypes(seen).Build(queries, mutations, events, following);
        types.Changed += Note;
    }

    /// <summary>The schema of the types that a caller sees, in GraphQL's own language.</summary>
    public async Task<string> TextAsync(Caller caller, CancellationToken ct)
    {
        await door.CatchUpAsync(ct);
        return Of(caller).Schema.Print();
    }

    /// <summary>Whether there is a newer schema than the one that a caller had.</summary>
    public async Task<bool> HasMovedAsync(Caller caller, GraphSchema before, CancellationToken ct)
    {
        await door.CatchUpAsync(ct);
        return Of(caller).Number != before.Number;
    }

    /// <summary>The schema of the types that a caller sees.</summary>
    public GraphSchema Of(Caller caller)
    {
        var change = Interlocked.Read(ref changes);
        var seesAll = TypeDoor.SeesAll(caller);
        if (seesAll && whole is { } known && known.Change == change)
            return known.Schema;
        var found = Of(door.Known(caller));
        if (seesAll)
            whole = new(change, found);
        return found;
    }

    /// <summary>The schema of all declared types.</summary>
    public GraphSchema OfAll()
    {
        var change = Interlocked.Read(ref changes);
        if (whole is { } known && known.Change == change)
            return known.Schema;
        var found = Of(Declared());
        whole = new(change, found);
        return found;
    }

    /// <summary>The schema of all types as it would be after a change of one of them. It is not kept.</summary>
    public GraphSchema After(TypeDefinition change) =>
        new(
            0,
            build([
                .. Declared()
                    .Select(rules => rules.InForce!.Definition)
                    .Where(type => type.Name != change.Name)
                    .Append(change)
                    .OrderBy(type => type.Name, StringComparer.Ordinal),
            ])
        );

    /// <summary>When a type was declared; null when it is not declared any more.</summary>
    public DateTimeOffset? DeclaredAt(string type) =>
        types[type] is { InForce: not null, State: { } state } ? state.CreatedAt : null;

    TypeRules[] Declared() =>
        [.. types.All.Where(rules => rules.InForce is not null).OrderBy(rules => rules.Name, StringComparer.Ordinal)];

    GraphSchema Of(IReadOnlyList<TypeRules> seen)
    {
        var name = string.Join(
            ' ',
            seen.Select(rules => $"{rules.Name}@{rules.InForce!.Version}.{rules.State!.CreatedAt.Ticks}")
        );
        Lazy<GraphSchema> schema;
        lock (gate)
        {
            schema = schemas.TryGetValue(name, out var kept)
                ? kept.Schema
                : new(() =>
                    new(Interlocked.Increment(ref made), build([.. seen.Select(rules => rules.InForce!.Definition)]))
                );
            schemas[name] = (schema, seen.Count, ++uses);
            while (schemas.Count > 1 && (schemas.Count > Most || schemas.Values.Sum(each => each.Types) > MostTypes))
            {
                var (oldest, gone) = schemas.MinBy(each => each.Value.Used);
                schemas.Remove(oldest);
                if (gone.Schema.IsValueCreated)
                    documents.Forget(gone.Schema.Value.Number);
            }
        }
        try
        {
            // Whoever comes meanwhile waits here, and not for the others.
            return schema.Value;
        }
        catch
        {
            // It would be thrown again for as long as it is kept.
            lock (gate)
                schemas.Remove(name);
            throw;
        }
    }

    public void Dispose() => types.Changed -= Note;

    void Note(TypeRules rules) => Interlocked.Increment(ref changes);

    sealed record Whole(long Change, GraphSchema Schema);
}
