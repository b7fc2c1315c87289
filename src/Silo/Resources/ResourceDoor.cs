using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// The one way to resources and their events. Permissions, reach, idempotency, preconditions and consistency are decided
/// here, whatever protocol a request comes by; it knows no HTTP.
/// </summary>
public sealed partial class ResourceDoor(
    IGrainFactory grains,
    ReadIndex index,
    ResourceQueries resources,
    StatisticsQueries statistics,
    LogQueries log,
    EventFeed feed,
    LogTail tail,
    StreamAccess streams
)
{
    /// <summary>A page ends early when its rows have more metadata than this, in bytes.</summary>
    const int MaxPageBytes = 8 << 20;

    /// <summary>Reads of the past go through whole streams: one caller has a few of them at a time.</summary>
    readonly CallerLanes past = new(width: 2, patience: TimeSpan.FromSeconds(3));

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
        var grain = grains.GetGrain<IResourceGrain>(id);
        var reply = moment is null
            ? await ClusterCalls.ReadAsync(() => grain.Get())
            : await past.RunAsync(caller.Account, () => ClusterCalls.SendAsync(_ => grain.GetPast(moment)));
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
        var reply = await ClusterCalls.ReadAsync(() => grains.GetGrain<IResourceGrain>(known).Get());
        if (reply.Value is not { } resource || !Sees(caller, permission, resource))
            return Missing;
        return resource.DeletedAt is null || deletedToo ? null : Gone;
    }

    /// <summary>What a permission lets a caller do with a resource. Reveals no more than an attempt would.</summary>
    public async Task<ResourceAccess> ExplainAsync(Caller caller, string permission, Guid id)
    {
        var reply = await ClusterCalls.ReadAsync(() => grains.GetGrain<IResourceGrain>(id).Get());
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
        var permission = PermissionFor(command);
        if (Lacks(caller, permission) is { } lack)
            return Reply<Resource>.Refused(lack);
        if (await IsRefusedAsync(caller, permission, id, command) is { } refusal)
            return Reply<Resource>.Refused(refusal);
        var grain = grains.GetGrain<IResourceGrain>(id);
        return await ClusterCalls.SendAsync(attempt.By(caller), intent => grain.Execute(command, intent));
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
        var selection = asked with { Visible = ReachOf(caller, asked.IncludeDeleted) };
        // Mostly the view is as far as the log, and one statement sees both.
        var page = await resources.PageAsync(selection, sort, after, limit, MaxPageBytes, count, wanted, ct);
        if (page.Position < (wanted ?? page.Head))
        {
            var reached = await WaitAsync(wanted ?? page.Head, ct);
            if (reached.Rejection is { } behind)
                return Reply<ResourcePage>.Refused(behind);
            page = await resources.PageAsync(
                selection,
                sort,
                after,
                limit,
                MaxPageBytes,
                count,
                reached.Value.Position,
                ct
            );
        }
        return new(page, 0, page.Position, false, null);
    }

    /// <summary>Live resources in numbers, as new as is wanted: of those that the caller may see.</summary>
    /// <param name="from">The first day of creation; null = any.</param>
    /// <param name="to">The last day of creation; null = any.</param>
    public async Task<Reply<ResourceStatistics>> CountAsync(
        Caller caller,
        string? type,
        string? status,
        DateOnly? from,
        DateOnly? to,
        long? wanted,
        CancellationToken ct
    )
    {
        if (Lacks(caller, Permissions.ResourceRead) is { } lack)
            return Reply<ResourceStatistics>.Refused(lack);
        var reached = await WaitAsync(wanted, ct);
        if (reached.Rejection is { } behind)
            return Reply<ResourceStatistics>.Refused(behind);
        var found = await statistics.ReadAsync(ReachOf(caller, includeDeleted: false), type, status, from, to, ct);
        return new(found, 0, found.Position, false, null);
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

    static string PermissionFor(ResourceCommand command) =>
        command switch
        {
            CreateResource => Permissions.ResourceCreate,
            ReplaceResource or PatchResource => Permissions.ResourceUpdate,
            DeleteResource or RestoreResource => Permissions.ResourceDelete,
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
            return scope.Allows(create.Type, caller.Id, caller.Id)
                ? null
                : new(Refusal.Forbidden, "The caller may not create resources of this type.");
        return await CheckAsync(caller, permission, id, deletedToo: true);
    }
}
