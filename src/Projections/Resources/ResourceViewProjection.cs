using JasperFx.Events;
using Marten;
using Marten.Events.Projections;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Keeps <c>resource_views</c>, the rows behind lists. A page of events is folded by resource and written in two statements,
/// in the transaction that also moves the projection's position.
/// </summary>
public sealed class ResourceViewProjection : IProjection
{
    /// <summary>Its name in Marten's table of positions.</summary>
    public const string Name = "resource_views";

    const string InsertCreated = """
        insert into resource_views (id, type, name, status, metadata, owner, version, created_at, created_by, updated_at, updated_by, deleted_at)
        select * from unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::text[]::jsonb[], ?::text[], ?::bigint[],
            ?::text[]::timestamptz[], ?::text[], ?::text[]::timestamptz[], ?::text[], ?::text[]::timestamptz[])
        on conflict (id) do nothing
        """;

    const string UpdateChanged = """
        update resource_views v set name = coalesce(n.name, v.name), status = coalesce(n.status, v.status), metadata = coalesce(n.metadata, v.metadata),
            version = n.version, updated_at = n.updated_at, updated_by = n.updated_by,
            deleted_at = case when n.deletion then n.deleted_at else v.deleted_at end
        from unnest(?::uuid[], ?::text[], ?::text[], ?::text[]::jsonb[], ?::bigint[], ?::text[]::timestamptz[], ?::text[], ?::boolean[], ?::text[]::timestamptz[])
            as n(id, name, status, metadata, version, updated_at, updated_by, deletion, deleted_at)
        where v.id = n.id and v.version < n.version
        """;

    public Task ApplyAsync(IDocumentOperations operations, IReadOnlyList<IEvent> events, CancellationToken cancellation)
    {
        var changes = new Dictionary<Guid, Change>();
        foreach (var stored in events)
        {
            if (stored.Data is not ResourceEvent data) continue;
            if (!changes.TryGetValue(stored.StreamId, out var change)) changes[stored.StreamId] = change = new(stored.StreamId);
            change.Fold(data, stored);
        }
        var created = changes.Values.Where(change => change.Created is not null).ToArray();
        if (created is not [])
            operations.QueueSqlCommand(InsertCreated,
                Each(created, c => c.Id), Each(created, c => c.Created!.Type), Each(created, c => c.Name!), Each(created, c => c.Status!), Each(created, c => c.Metadata!),
                Each(created, c => c.Created!.Owner), Each(created, c => c.Version), Each(created, c => c.CreatedAt!), Each(created, c => c.CreatedBy!),
                Each(created, c => c.UpdatedAt), Each(created, c => c.UpdatedBy), Each(created, c => c.DeletedAt!));
        var changed = changes.Values.Where(change => change.Created is null).ToArray();
        if (changed is not [])
            operations.QueueSqlCommand(UpdateChanged,
                Each(changed, c => c.Id), Each(changed, c => c.Name!), Each(changed, c => c.Status!), Each(changed, c => c.Metadata!), Each(changed, c => c.Version),
                Each(changed, c => c.UpdatedAt), Each(changed, c => c.UpdatedBy), Each(changed, c => c.Deletion), Each(changed, c => c.DeletedAt!));
        return Task.CompletedTask;
    }

    static T[] Each<T>(Change[] changes, Func<Change, T> part) => Array.ConvertAll(changes, change => part(change));

    /// <summary>What a page of events does to one row; a null member stays as it is.</summary>
    sealed class Change(Guid id)
    {
        public Guid Id { get; } = id;
        public ResourceCreated? Created { get; private set; }
        public string? Name { get; private set; }
        public string? Status { get; private set; }
        public string? Metadata { get; private set; }
        public long Version { get; private set; }
        public string? CreatedAt { get; private set; }
        public string? CreatedBy { get; private set; }
        public string UpdatedAt { get; private set; } = "";
        public string UpdatedBy { get; private set; } = "";
        public bool Deletion { get; private set; }
        public string? DeletedAt { get; private set; }

        public void Fold(ResourceEvent data, IEvent stored)
        {
            (Version, UpdatedAt, UpdatedBy) = (stored.Version, stored.Timestamp.ToString("O"), stored.UserName!);
            switch (data)
            {
                case ResourceCreated e:
                    (Created, CreatedAt, CreatedBy, Name, Status, Metadata) = (e, UpdatedAt, UpdatedBy, e.Name, e.Status, e.Metadata.ToString());
                    break;
                case ResourceReplaced e: (Name, Status, Metadata) = (e.Name, e.Status, e.Metadata.ToString()); break;
                case ResourceRenamed e: Name = e.Name; break;
                case ResourceStatusChanged e: Status = e.Status; break;
                case ResourceMetadataChanged e: Metadata = e.Metadata.ToString(); break;
                case ResourceDeleted: (Deletion, DeletedAt) = (true, UpdatedAt); break;
                case ResourceRestored: (Deletion, DeletedAt) = (true, null); break;
                default: throw new InvalidOperationException($"No arm for {data.GetType().Name}.");
            }
        }
    }
}
