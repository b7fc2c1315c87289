using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// The one way to resources and their events. Permissions, reach, idempotency, preconditions and consistency are decided
/// here, whatever protocol a request comes by; it knows no HTTP.
/// </summary>
public sealed partial class ResourceDoor(
    ResourceGrains grains,
    EarlierNodes earlier,
    ReadIndex index,
    ResourceQueries resources,
    StatisticsQueries statistics,
    AggregateQueries aggregates,
    LogQueries log,
    EventFeed feed,
    LogTail tail,
    StreamAccess streams,
    TypeBook types,
    ReadTurns turns,
    ReadMemory memory
)
{
    /// <summary>A page ends early when its rows have more metadata than this, in bytes.</summary>
    const int MaxPageBytes = 8 << 20;

    /// <summary>Pages of so much metadata are read without asking for memory.</summary>
    const int SmallPageBytes = 1 << 20;

    /// <summary>Metadata is in memory twice: as it was read, and in the answer.</summary>
    const int Copies = 2;

    /// <summary>Nobody needs memory for less than this.</summary>
    const int LeastMemory = Copies * SmallPageBytes;

    /// <summary>How long a read waits for memory.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    static readonly Rejection Missing = new(Refusal.NotFound, "There is no such resource.");
    static readonly Rejection Gone = new(Refusal.Deleted, "This resource was deleted.");

    /// <summary>Reads a resource as it is, or as it was.</summary>
    /// <param name="moment">The point in its past; null = now.</param>
    /// <returns>
    /// The resource, or a refusal: forbidden, not found (also for what the caller may not see), deleted, or no such
    /// version.
    /// </returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    public async Task<Reply<Resource>> GetAsync(Caller caller, Guid id, Moment? moment = null)
    {
        if (Lacks(caller, Permissions.ResourceRead) is { } lack)
            return Reply<Resource>.Refused(lack);
        var grain = grains[id];
        var reply = moment is null
            ? await ClusterCalls.ReadAsync(() => grain.Get())
            : await turns.PastAsync(
                caller.Id,
                () => ClusterCalls.SendAsync(_ => grain.GetPast(moment)),
                CancellationToken.None
            );
        if (reply.Value is not { } resource || !Sees(caller, Permissions.ResourceRead, resource))
            return Reply<Resource>.Refused(Missing);
        if (moment?.Version is { } asked && asked > reply.Version)
            return Reply<Resource>.Refused(new(Refusal.VersionNotFound, $"The resource has no version {asked}."));
        return resource.DeletedAt is null ? reply : Reply<Resource>.Refused(Gone);
    }

    /// <summary>
    /// Why a caller cannot address a resource; null when they can. It comes before what is wrong with their input.
    /// </summary>
    /// <param name="id">The resource; null when the text was no id.</param>
    /// <param name="deletedToo">Whether a deleted resource can be addressed.</param>
    public async Task<Rejection?> CheckAsync(Caller caller, string permission, Guid? id, bool deletedToo)
    {
        if (Lacks(caller, permission) is { } lack)
            return lack;
        if (id is not { } known)
            return Missing;
        var reply = await ClusterCalls.ReadAsync(() => grains[known].Get());
        if (reply.Value is not { } resource || !Sees(caller, permission, resource))
            return Missing;
        return resource.DeletedAt is null || deletedToo ? null : Gone;
    }

    /// <summary>Whether a resource, which may be deleted, is of a type and within the reach of a caller.</summary>
    public async Task<bool> ReachesAsync(Caller caller, string permission, Guid id, string type) =>
        (await ClusterCalls.ReadAsync(() => grains[id].Get())).Value is { } resource
        && resource.Type == type
        && Sees(caller, permission, resource);

    /// <summary>Whether a caller may create resources of a type.</summary>
    public static bool MayCreate(Caller caller, string type) =>
        caller.Permissions.ScopeOf(Permissions.ResourceCreate).Allows(type, caller.Id, caller.Id);

    /// <summary>What a permission lets a caller do with a resource. Reveals no more than an attempt would.</summary>
    public async Task<ResourceAccess> ExplainAsync(Caller caller, string permission, Guid id)
    {
        var reply = await ClusterCalls.ReadAsync(() => grains[id].Get());
        return reply.Value is not { } resource ? ResourceAccess.Hidden
            : Sees(caller, permission, resource) ? ResourceAccess.WithinReach
            // An invisible resource is indistinguishable from a missing one.
            : Sees(caller, Permissions.ResourceRead, resource) ? ResourceAccess.Visible
            : ResourceAccess.Hidden;
    }

    /// <summary>Runs a command.</summary>
    /// <param name="id">The resource; for a create, <see cref="Attempt.NewId"/>.</param>
    /// <returns>The resource after the command, or why it was refused.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable; the outcome is unknown.</exception>
    public async Task<Reply<Resource>> ExecuteAsync(Caller caller, Guid id, ResourceCommand command, Attempt attempt)
    {
        var permissions = PermissionsFor(command);
        if (Lacks(caller, permissions) is { } lack)
            return Reply<Resource>.Refused(lack);
        foreach (var permission in permissions)
            if (await IsRefusedAsync(caller, permission, id, command) is { } refusal)
                return Reply<Resource>.Refused(refusal);
        // They would restore it as it was.
        if (command is RestoreResource { Replacement: not null } && earlier.WithoutTypes)
            return Reply<Resource>.Refused(
                new(
                    Refusal.ClusterMixed,
                    "Nodes of the previous release are running, which restore without a body only."
                )
            );
        if (command is DeleteResource)
            command = new DeleteResource(
                caller.Permissions.ScopeOf(Permissions.ResourceDelete),
                caller.Permissions.ScopeOf(Permissions.ResourceUpdate)
            );
        var grain = grains[id];
        var readable = earlier.Readable(command);
        var asked = attempt.By(caller);
        // A new status may be an action of its own, as its type declares it.
        if (permissions.Contains(Permissions.ResourceUpdate))
            asked = asked with { Permissions = caller.Permissions.OfResources };
        var reply = await ClusterCalls.SendAsync(asked, intent => grain.Execute(readable, intent));
        return reply.Rejection is { Referrers: { } referrers } rejection
            ? Reply<Resource>.Refused(rejection with { Referrers = await WithinReachAsync(caller, referrers) })
            : reply;
    }

    /// <summary>Of what refers to a resource, a caller learns no more than the number, and what it may read.</summary>
    async Task<Referrers> WithinReachAsync(Caller caller, Referrers referrers)
    {
        var scope = caller.Permissions.ScopeOf(Permissions.ResourceRead);
        IEnumerable<Guid> readable = scope.IsAll
            ? referrers.Resources
            : from one in await log.OwnersAsync(referrers.Resources, CancellationToken.None)
            where scope.Allows(one.Type, one.Owner, caller.Id)
            select one.Id;
        return referrers with { Resources = [.. readable.Take(Referrers.Shown)] };
    }

    /// <summary>A page of a list, as new as is wanted.</summary>
    /// <param name="asked">What is asked for; what may be seen is decided here.</param>
    /// <param name="after">The place of the last row of the page before; null = from the start.</param>
    /// <param name="wanted">The position that the list must have passed; null = the log's head.</param>
    /// <exception cref="QueryTimeoutException">The selection takes longer than a query may.</exception>
    public async Task<Reply<ResourcePage>> ListAsync(
        Caller caller,
        ResourceSelection asked,
        ResourceSort sort,
        object[]? after,
        int limit,
        CountKind count,
        long? wanted,
        CancellationToken ct
    )
    {
        if (Lacks(caller, ListPermissions(asked.IncludeDeleted)) is { } lack)
            return Reply<ResourcePage>.Refused(lack);
        var selection = await SelectAsync(caller, asked, sort);
        Task<ResourcePage> ReadAsync(int bytes, long? wanted, bool areLarge = true) =>
            resources.PageAsync(selection, sort, after, limit, bytes, count, wanted, ct, areLarge);
        Task<T> InTurnAsync<T>(Func<Task<T>> read, bool isLarge = false) =>
            turns.ListAsync(caller.Id, selection, sort, count, read, ct, isLarge);
        async Task<ResourcePage> ReadWholeAsync(long? wanted)
        {
            // It is known when the turn comes whether a small page would be read in vain.
            var small = await InTurnAsync(async () =>
                turns.ReadsLarge(caller.Id) is true ? null : await ReadAsync(SmallPageBytes, wanted, areLarge: false)
            );
            if (small is { IsCut: false })
                return small;
            // Nobody keeps a page while waiting for memory and turns.
            small = null;
            return await WithMemoryAsync(
                caller.Id,
                MaxPageBytes,
                bytes => InTurnAsync(() => ReadAsync(bytes, wanted), isLarge: true),
                ct
            ) ?? await InTurnAsync(() => ReadAsync(SmallPageBytes, wanted));
        }
        try
        {
            // Mostly the view is as far as the log, and one statement sees both.
            var page = await ReadWholeAsync(wanted);
            if (page.Position < (wanted ?? page.Head))
            {
                page.Memory?.Dispose();
                var reached = await WaitAsync(wanted ?? page.Head, ct);
                if (reached.Rejection is { } behind)
                    return Reply<ResourcePage>.Refused(behind);
                page = await ReadWholeAsync(reached.Value.Position);
            }
            return new(page, 0, page.Position, false, null);
        }
        catch (NotIndexedException e)
        {
            return Reply<ResourcePage>.Refused(NotIndexed(e, "sort"));
        }
        catch (OtherOrderException)
        {
            return Reply<ResourcePage>.Refused(OtherOrder);
        }
    }

    /// <summary>What a list is about, as far as the caller may see it.</summary>
    async ValueTask<ResourceSelection> SelectAsync(Caller caller, ResourceSelection asked, ResourceSort sort) =>
        asked with
        {
            Visible = ReachOf(caller, asked.IncludeDeleted),
            // Deleted resources have no rows in an index: by it, a filter would lose them.
            Indexed =
                asked.IncludeDeleted || asked.Filter is null && sort.Member is null
                    ? null
                    : await IndexedAsync(caller, asked.Type, sort.Member is { } member ? [member] : []),
        };

    /// <summary>
    /// Reads again what was too large to be read without memory, as much as there is memory for. Null where that would be
    /// no more.
    /// </summary>
    /// <param name="most">The most metadata that is read, in bytes.</param>
    /// <exception cref="StoreOverloadedException">The caller, or the node, has as much in memory as it may.</exception>
    async Task<ResourcePage?> WithMemoryAsync(
        string caller,
        int most,
        Func<int, Task<ResourcePage>> read,
        CancellationToken ct
    )
    {
        if (await TakeMemoryAsync(caller, most, ct) is not { } lease)
            return null;
        try
        {
            return await read((int)lease.Size / Copies) with { Memory = lease };
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>Memory for what is read, as much as there is; null where that is no more than for a small page.</summary>
    /// <param name="most">The most metadata that is read, in bytes.</param>
    /// <exception cref="StoreOverloadedException">The caller, or the node, has as much in memory as it may.</exception>
    async ValueTask<MemoryLease?> TakeMemoryAsync(string caller, int most, CancellationToken ct)
    {
        if (memory.Largest <= LeastMemory)
            return null;
        var lease = await memory.TakeAsync(caller, Copies * (long)most, Patience, ct, LeastMemory)
            ?? throw memory.Refused(caller);
        if (lease.Size > LeastMemory)
            return lease;
        lease.Dispose();
        return null;
    }

    /// <summary>Live resources in numbers, as new as is wanted: of those that the caller may see.</summary>
    /// <param name="from">The first day of creation; null = any.</param>
    /// <param name="to">The last day of creation; null = any.</param>
    /// <param name="grouping">What is told beside the counts; null = nothing.</param>
    /// <exception cref="QueryTimeoutException">Groups take longer than a query may.</exception>
    public async Task<Reply<ResourceStatistics>> CountAsync(
        Caller caller,
        string? type,
        string? status,
        DateOnly? from,
        DateOnly? to,
        Grouping? grouping,
        long? wanted,
        CancellationToken ct
    )
    {
        if (Lacks(caller, Permissions.ResourceRead) is { } lack)
            return Reply<ResourceStatistics>.Refused(lack);
        var reached = await WaitAsync(wanted, ct);
        if (reached.Rejection is { } behind)
            return Reply<ResourceStatistics>.Refused(behind);
        var visible = ReachOf(caller, includeDeleted: false);
        var indexed = grouping is null ? null : await IndexedAsync(caller, type, grouping.Paths);
        try
        {
            // As many rows as there are types and days, and callers make up types.
            var found = await turns.SearchAsync(
                caller.Id,
                () =>
                    grouping is null
                        ? statistics.ReadAsync(visible, type, status, from, to, ct)
                        : aggregates.ReadAsync(visible, indexed, type, status, from, to, grouping, ct),
                ct
            );
            return new(found, 0, found.Position, false, null);
        }
        catch (NotIndexedException e)
        {
            var value = grouping!.Values.FirstOrDefault(value => value.Path == e.Member);
            return Reply<ResourceStatistics>.Refused(NotIndexed(e, value.Function ?? "groupBy"));
        }
    }

    /// <summary>Waits until lists have passed a position; without one, the log's head at this moment.</summary>
    public async Task<Reply<Reached>> WaitAsync(long? position, CancellationToken ct)
    {
        var reached = await index.WaitAsync(position, ct);
        return reached.State switch
        {
            ReachedState.Passed => new(reached, 0, reached.Position, false, null),
            ReachedState.Behind => Reply<Reached>.Refused(
                new(Refusal.ReadModelBehind, "The read model has not caught up with the log in time.")
            ),
            _ => Reply<Reached>.Refused(new(Refusal.PositionAhead, "The log has not reached this position.")),
        };
    }

    /// <summary>What a caller's lists may show; deleted resources need a permission of their own.</summary>
    public static Reach ReachOf(Caller caller, bool includeDeleted) =>
        Reach.Of(
            ListPermissions(includeDeleted)
                .Select(caller.Permissions.ScopeOf)
                .Aggregate((one, other) => one.Intersect(other)),
            caller.Id
        );

    static string[] ListPermissions(bool includeDeleted) =>
        includeDeleted ? [Permissions.ResourceRead, Permissions.ResourceReadDeleted] : [Permissions.ResourceRead];

    static string[] PermissionsFor(ResourceCommand command) =>
        command switch
        {
            CreateResource => [Permissions.ResourceCreate],
            ReplaceResource or PatchResource => [Permissions.ResourceUpdate],
            RestoreResource { Replacement: not null } => [Permissions.ResourceDelete, Permissions.ResourceUpdate],
            DeleteResource or RestoreResource => [Permissions.ResourceDelete],
            _ => throw new ArgumentOutOfRangeException(nameof(command), $"No permission covers {command.GetType()}."),
        };

    static Rejection? Lacks(Caller caller, params ReadOnlySpan<string> permissions)
    {
        foreach (var permission in permissions)
            if (caller.Permissions.ScopeOf(permission).IsNothing)
                return new(Refusal.Forbidden, $"The caller lacks the permission {permission}.");
        return null;
    }

    static bool Sees(Caller caller, string permission, Resource resource) =>
        caller.Permissions.ScopeOf(permission).Allows(resource.Type, resource.Owner, caller.Id);

    /// <summary>
    /// A caller with a limited reach creates only within it, and changes only what is within it: other resources look
    /// as if they were not there.
    /// </summary>
    async Task<Rejection?> IsRefusedAsync(Caller caller, string permission, Guid id, ResourceCommand command)
    {
        var scope = caller.Permissions.ScopeOf(permission);
        if (scope.IsAll)
            return null;
        if (command is CreateResource create)
            return MayCreate(caller, create.Type)
                ? null
                : new(Refusal.Forbidden, "The caller may not create resources of this type.");
        return await CheckAsync(caller, permission, id, deletedToo: true);
    }
}
