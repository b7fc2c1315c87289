using JasperFx.Events;
using Marten;
using Marten.Events.Projections;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Keeps one generation of the rows behind lists and of the counts behind statistics. A page of events is folded by
/// resource and written in two statements, in the transaction that also moves the projection's position; the counts are
/// moved by what the rows were before and are after, so that lists and statistics agree at every position.
/// </summary>
public sealed class ResourceViewProjection : IProjection
{
    /// <summary>The follower's name.</summary>
    public const string FollowerName = "resource_views";

    /// <summary>The read model that it keeps.</summary>
    public static readonly ReadModel Model = new(FollowerName, "resource", generation => new ResourceViewProjection(
        generation
    ));

    readonly string insertCreated;
    readonly string updateChanged;

    /// <param name="generation">
    /// The tables to keep: <c>resource_views_N</c>, <c>resource_statistics_N</c> and <c>resource_index_N</c>.
    /// </param>
    public ResourceViewProjection(int generation)
    {
        Index = new(generation);
        insertCreated = InsertCreated(generation);
        updateChanged = UpdateChanged(generation);
    }

    /// <summary>The rows of indexed members.</summary>
    internal IndexRows Index { get; }

    /// <summary>The next piece of work that brings the rows of a generation to the members that types declare.</summary>
    public static ReadModelWork? NextWork(IProjection projection, IReadOnlyCollection<IndexedMembers> declared)
    {
        var index = ((ResourceViewProjection)projection).Index;
        return index.AreBehind(declared) ? (transaction, ct) => index.TendAsync(transaction, declared, ct) : null;
    }

    public async Task ApplyAsync(
        IDocumentOperations operations,
        IReadOnlyList<IEvent> events,
        CancellationToken cancellation
    )
    {
        var changes = ResourceViewChange.Fold(events);
        var created = changes.Where(change => change.Created is not null).ToArray();
        if (created is not [])
            operations.QueueSqlCommand(
                insertCreated,
                Each(created, c => c.Id),
                Each(created, c => c.Created!.Type),
                Each(created, c => c.Name!),
                Each(created, c => c.Status!),
                Each(created, c => c.Metadata!),
                Each(created, c => c.Created!.Owner),
                Each(created, c => c.Version),
                Each(created, c => c.CreatedAt!),
                Each(created, c => c.CreatedBy!),
                Each(created, c => c.UpdatedAt),
                Each(created, c => c.UpdatedBy),
                Each(created, c => c.DeletedAt!),
                Each(created, c => c.NameWords!),
                Each(created, c => c.MetadataWords!),
                Each(created, c => c.TypeVersion)
            );
        var changed = changes.Where(change => change.Created is null).ToArray();
        if (changed is not [])
            operations.QueueSqlCommand(
                updateChanged,
                Each(changed, c => c.Id),
                Each(changed, c => c.Name!),
                Each(changed, c => c.Status!),
                Each(changed, c => c.Metadata!),
                Each(changed, c => c.Version),
                Each(changed, c => c.UpdatedAt),
                Each(changed, c => c.UpdatedBy),
                Each(changed, c => c.Deletion),
                Each(changed, c => c.DeletedAt!),
                Each(changed, c => c.NameWords!),
                Each(changed, c => c.MetadataWords!),
                Each(changed, c => c.IsChecked),
                Each(changed, c => c.TypeVersion)
            );
        await Index.QueueAsync(operations, events, changes, cancellation);
    }

    static T[] Each<T>(ResourceViewChange[] changes, Func<ResourceViewChange, T> part) =>
        Array.ConvertAll(changes, change => part(change));

    static string InsertCreated(int generation) =>
        $"""
            with written as (
                insert into resource_views_{generation}
                    (id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at, words, type_version)
                select id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at, (name_words || ' ' || metadata_words)::tsvector, type_version
                from unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[]::jsonb[], ?::text[], ?::bigint[],
                    ?::text[]::timestamptz[], ?::text[], ?::text[]::timestamptz[], ?::text[], ?::text[]::timestamptz[], ?::text[], ?::text[], ?::bigint[])
                    as n(id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at, name_words, metadata_words, type_version)
                on conflict (id) do nothing
                returning owner, type, status, created_at, deleted_at
            ),
            moved as (select owner, type, status, created_at, 1 as step from written where deleted_at is null)
            {Count(generation)}
            """;

    static string UpdateChanged(int generation) =>
        $"""
            with changed as (
                select * from unnest(?::uuid[], ?::text[], ?::text[], ?::text[]::jsonb[], ?::bigint[], ?::text[]::timestamptz[], ?::text[], ?::boolean[], ?::text[]::timestamptz[], ?::text[], ?::text[], ?::boolean[], ?::bigint[])
                    as n(id, name, status, metadata, version, updated_at, updated_by, deletion, deleted_at, name_words, metadata_words, checked, type_version)
            ),
            before as (
                select v.owner, v.type, v.status, v.created_at, v.deleted_at from resource_views_{generation} v join changed n on v.id = n.id
                where v.version < n.version and (n.deletion or n.status is not null)
            ),
            written as (
                update resource_views_{generation} v set name = coalesce(n.name, v.name), status = coalesce(n.status, v.status), metadata = coalesce(n.metadata, v.metadata),
                    version = n.version, updated_at = n.updated_at, updated_by = n.updated_by,
                    deleted_at = case when n.deletion then n.deleted_at else v.deleted_at end,
                    type_version = case when n.checked then n.type_version else v.type_version end,
                    words = case when n.name_words is null and n.metadata_words is null then v.words
                        else (coalesce(n.name_words, ts_filter(v.words, array['a']::"char"[])::text) || ' ' || coalesce(n.metadata_words, ts_filter(v.words, array['d']::"char"[])::text))::tsvector end
                from changed n where v.id = n.id and v.version < n.version
                returning v.owner, v.type, v.status, v.created_at, v.deleted_at, n.deletion or n.status is not null as counts
            ),
            moved as (
                select owner, type, status, created_at, -1 as step from before where deleted_at is null
                union all
                select owner, type, status, created_at, 1 from written where counts and deleted_at is null
            )
            {Count(generation)}
            """;

    /// <summary>
    /// Adds the steps in <c>moved</c> to the counts: for everyone and for the owner, of their day and of all days.
    /// </summary>
    static string Count(int generation) =>
        $"""
            insert into resource_statistics_{generation} as s (scope, type, status, day, live)
            select scope, type, status, day, sum(step)
            from moved cross join lateral (values ('*'), (owner)) scopes(scope) cross join lateral (values ((created_at at time zone 'UTC')::date), ('infinity')) days(day)
            group by 1, 2, 3, 4 having sum(step) <> 0
            on conflict (scope, type, status, day) do update set live = s.live + excluded.live
            """;
}
