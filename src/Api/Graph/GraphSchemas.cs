using GraphQL;
using GraphQL.Types;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// The schemas of this node: one for each set of types that callers see, at a version of each. They are made once and
/// never changed; an operation keeps the one that it began with.
/// </summary>
sealed class GraphSchemas(TypeDoor types, GraphQueries queries, GraphMutations mutations)
{
    /// <summary>So many are kept.</summary>
    const int Most = 32;

    readonly Lock gate = new();
    readonly Dictionary<string, (Lazy<ISchema> Schema, long Used)> schemas = [];
    long uses;

    /// <summary>The schema of the types that a caller sees, in GraphQL's own language.</summary>
    public async Task<string> TextAsync(Caller caller, CancellationToken ct) => (await OfAsync(caller, ct)).Print();

    /// <summary>The schema of the types that a caller sees.</summary>
    public async Task<ISchema> OfAsync(Caller caller, CancellationToken ct)
    {
        var seen = (await types.ListAsync(caller, ct)).Value!;
        var name = string.Join(' ', seen.Select(rules => $"{rules.Name}@{rules.InForce!.Version}.{rules.State!.CreatedAt.Ticks}"));
        lock (gate)
        {
            var schema = schemas.TryGetValue(name, out var known)
                ? known.Schema
                : new(() => new GraphTypes([.. seen.Select(rules => rules.InForce!.Definition)]).Build(queries, mutations));
            schemas[name] = (schema, ++uses);
            if (schemas.Count > Most)
                schemas.Remove(schemas.MinBy(each => each.Value.Used).Key);
            return schema.Value;
        }
    }
}
