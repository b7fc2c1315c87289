using System.Diagnostics;

namespace Resources.Grains;

/// <summary>
/// A resource at a version: a pure function of its events. This file evolves and decides; it knows no grain, store or
/// clock.
/// </summary>
[GenerateSerializer, Immutable, Alias("resource")]
public sealed record Resource(
    string Type,
    string Name,
    string Status,
    JsonText Metadata,
    string Owner,
    DateTimeOffset CreatedAt,
    string CreatedBy,
    DateTimeOffset UpdatedAt,
    string UpdatedBy,
    DateTimeOffset? DeletedAt,
    long? TypeVersion = null
)
{
    public const string DefaultType = "resource";
    public const string DefaultStatus = "active";

    /// <summary>What to tell somebody who sends a member that resources do not have.</summary>
    public const string OwnMembers = " Members of your own go into metadata.";

    public static Resource Evolve(Resource? state, Recorded<ResourceEvent> recorded) =>
        recorded.Data switch
        {
            ResourceCreated e => new(
                e.Type,
                e.Name,
                e.Status,
                e.Metadata,
                e.Owner,
                recorded.At,
                recorded.Actor,
                recorded.At,
                recorded.Actor,
                null,
                e.TypeVersion
            ),
            ResourceReplaced e => state!.Touched(recorded) with
            {
                Name = e.Name,
                Status = e.Status,
                Metadata = e.Metadata,
            },
            ResourceRenamed e => state!.Touched(recorded) with { Name = e.Name },
            ResourceMetadataChanged e => state!.Touched(recorded) with { Metadata = e.Metadata },
            ResourceStatusChanged e => state!.Touched(recorded) with { Status = e.Status },
            ResourceChanged e => state!.Touched(recorded) with
            {
                Name = e.Name ?? state.Name,
                Status = e.Status ?? state.Status,
                Metadata = e.Metadata ?? state.Metadata,
            },
            // Nothing is checked where a resource goes.
            ResourceDeleted => state!.Touched(recorded) with
            {
                DeletedAt = recorded.At,
                TypeVersion = state.TypeVersion,
            },
            ResourceRestored e => state!.Touched(recorded) with
            {
                Name = e.Name ?? state.Name,
                Status = e.Status ?? state.Status,
                Metadata = e.Metadata ?? state.Metadata,
                DeletedAt = null,
            },
            ResourceMigrated e => state!.Touched(recorded) with { Status = e.Status, Metadata = e.Metadata },
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };

    public static Decision<ResourceEvent> Decide(Resource? state, ResourceCommand command, DecisionContext context) =>
        (state, command) switch
        {
            (null, CreateResource c) =>
            [
                new ResourceCreated(c.Type, c.Name, c.Status ?? DefaultStatus, c.Metadata, context.Intent.Actor),
            ],
            (null, _) => new Rejection(Refusal.NotFound, "There is no such resource."),
            (_, CreateResource) => new Rejection(Refusal.AlreadyExists, "A resource with this id exists already."),
            ({ DeletedAt: not null }, DeleteResource) => [],
            ({ DeletedAt: null }, RestoreResource { Replacement: { } c }) when state.Replace(c).Events is not [] =>
                new Rejection(
                    Refusal.AlreadyExists,
                    "This resource is not deleted: replace it.",
                    Version: context.Version
                ),
            ({ DeletedAt: null }, RestoreResource) => [],
            ({ DeletedAt: not null }, not RestoreResource) => new Rejection(
                Refusal.Deleted,
                "This resource was deleted.",
                Version: context.Version
            ),
            _ when GivenBy(command)?.Type is { } type && type != state.Type => Invalid(
                new Fault("/type", "TYPE_IS_FIXED", $"The type of this resource is '{state.Type}' and cannot change.")
            ),
            (_, PatchResource c) => ResourcePatch.Decide(state, c, context),
            _ when !context.Intent.Conditions.Hold(context.Version) => Mismatch(context.Version),
            _ when GivenBy(command)?.Kept is { } kept
                    && state.Altered(kept, context.Version) is not [] and var altered => Invalid(altered),
            (_, ReplaceResource c) => state.Replace(c),
            (_, DeleteResource) => [new ResourceDeleted()],
            (_, RestoreResource { Replacement: { } c }) => [state.RestoredAs(c)],
            (_, RestoreResource) => [new ResourceRestored()],
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

    /// <summary>The replacement that a command brings; null where it brings none.</summary>
    internal static ReplaceResource? GivenBy(ResourceCommand command) =>
        command as ReplaceResource ?? (command as RestoreResource)?.Replacement;

    Decision<ResourceEvent> Replace(ReplaceResource c)
    {
        var status = c.Status ?? DefaultStatus;
        return c.Name == Name && status == Status && c.Metadata.Equals(Metadata)
            ? []
            : [new ResourceReplaced(c.Name, status, c.Metadata, Changed(c.Name, status, c.Metadata))];
    }

    /// <summary>Whether everything that clients give is the same.</summary>
    internal bool HasContentOf(Resource other) =>
        Name == other.Name && Status == other.Status && Metadata.Equals(other.Metadata);

    internal ResourceRestored RestoredAs(ReplaceResource c)
    {
        var status = c.Status ?? DefaultStatus;
        return new(
            c.Name == Name ? null : c.Name,
            status == Status ? null : status,
            c.Metadata.Equals(Metadata) ? null : c.Metadata,
            Replace(c).Events is [] ? null : Changed(c.Name, status, c.Metadata)
        );
    }

    /// <summary>A fault for each member that is not as the server keeps it.</summary>
    Fault[] Altered(KeptMembers kept, long version)
    {
        (string Member, bool IsAltered)[] members =
        [
            ("owner", (kept.Owner ?? Owner) != Owner),
            ("typeVersion", (kept.TypeVersion ?? TypeVersion) != TypeVersion),
            ("version", (kept.Version ?? version) != version),
            ("createdAt", (kept.CreatedAt ?? CreatedAt) != CreatedAt),
            ("createdBy", (kept.CreatedBy ?? CreatedBy) != CreatedBy),
            ("updatedAt", (kept.UpdatedAt ?? UpdatedAt) != UpdatedAt),
            ("updatedBy", (kept.UpdatedBy ?? UpdatedBy) != UpdatedBy),
        ];
        return [.. members.Where(each => each.IsAltered).Select(each => IsKept(each.Member))];
    }

    /// <summary>The fault of a member that only the server changes.</summary>
    public static Fault IsKept(string member) =>
        new($"/{member}", FaultCode.ReadOnly, "The server keeps this member: send it as it is, or not at all.");

    /// <summary>One event, the narrowest that says it all; none where nothing changes.</summary>
    internal Decision<ResourceEvent> Change(string name, string status, JsonText metadata) =>
        (name != Name, status != Status, !metadata.Equals(Metadata)) switch
        {
            (false, false, false) => [],
            (true, false, false) => [new ResourceRenamed(name, Changed(name, status, metadata))],
            (false, true, false) => [new ResourceStatusChanged(status, Changed(name, status, metadata))],
            (false, false, true) => [new ResourceMetadataChanged(metadata, Changed(name, status, metadata))],
            var (isNamed, hasStatus, isDescribed) =>
            [
                new ResourceChanged(
                    isNamed ? name : null,
                    hasStatus ? status : null,
                    isDescribed ? metadata : null,
                    Changed(name, status, metadata)
                ),
            ],
        };

    /// <summary>What differs from a form that a migration gives the resource.</summary>
    internal string[]? Changed(Resource other) => Changed(Name, other.Status, other.Metadata);

    string[]? Changed(string name, string status, JsonText metadata)
    {
        var difference = new JsonDifference();
        if (name != Name)
            difference.Add("name");
        if (status != Status)
            difference.Add("status");
        difference.Compare("metadata", Metadata, metadata);
        return difference.Places;
    }

    Resource Touched(Recorded<ResourceEvent> recorded) =>
        this with
        {
            UpdatedAt = recorded.At,
            UpdatedBy = recorded.Actor,
            TypeVersion = recorded.Data.TypeVersion,
        };

    /// <summary>The rejection of a request for another version.</summary>
    public static Rejection Mismatch(long version) =>
        new(Refusal.VersionMismatch, $"The resource is at version {version}.", Version: version);

    /// <summary>The rejection of a faulty request.</summary>
    public static Rejection Invalid(params Fault[] faults) => new(Refusal.Invalid, "The request is not valid.", faults);
}
