using Orleans.Metadata;
using Orleans.Runtime;

namespace Resources.Grains;

/// <summary>
/// The nodes of the release before, which may be in the cluster during an upgrade. They do not know
/// <see cref="ResourceChanged"/> and migrations: a grain of theirs would fail on them, and lists would stand still. They
/// are known by a grain that came with it. A version of the grain of resources would be compared at each of its calls.
/// </summary>
public sealed class EarlierNodes(IClusterManifestProvider manifests, GrainInterfaceTypeResolver types)
{
    readonly GrainInterfaceType grain = types.GetGrainInterfaceType(typeof(IResourceGrain));
    readonly GrainInterfaceType mark = types.GetGrainInterfaceType(typeof(IApiKeyRingGrain));
    readonly GrainInterfaceType typeMark = types.GetGrainInterfaceType(typeof(ITypeGrain));

    /// <summary>Whether there are any that do not know types.</summary>
    public bool WithoutTypes => AreIn(manifests.Current, grain, typeMark);

    /// <summary>The command as the grain of every node reads it: those without types want a status.</summary>
    public ResourceCommand Readable(ResourceCommand command) =>
        command is CreateResource { Status: null } or ReplaceResource { Status: null }
            ? Readable(command, WithoutTypes)
            : command;

    /// <summary>The command as nodes of this release read it, or as those without types do if some are there.</summary>
    public static ResourceCommand Readable(ResourceCommand command, bool areIn) =>
        (areIn, command) switch
        {
            (true, CreateResource { Status: null } create) => create with { Status = Resource.DefaultStatus },
            (true, ReplaceResource { Status: null } replace) => replace with { Status = Resource.DefaultStatus },
            _ => command,
        };

    /// <summary>The decision in events that every node of the cluster reads.</summary>
    internal Decision<ResourceEvent> Readable(Resource? state, Decision<ResourceEvent> decision) =>
        decision.Events is [ResourceChanged] ? Readable(state, decision, AreIn(manifests.Current, grain, mark))
        : decision.Events is [ResourceMigrated or ResourceRestored { IsChange: true }]
            ? Readable(state, decision, WithoutTypes)
        : decision;

    /// <summary>The decision in events that nodes of this release read, or of the one before if some are there.</summary>
    public static Decision<ResourceEvent> Readable(Resource? state, Decision<ResourceEvent> decision, bool areIn) =>
        areIn
            ? decision.Events switch
            {
                [ResourceChanged changed] => decision.With([changed.AsReplaced(state!)]),
                [ResourceMigrated migrated] => decision.With([migrated.AsReplaced(state!)]),
                [ResourceRestored { IsChange: true } restored] => decision.With(restored.AsTwo(state!)),
                _ => decision,
            }
            : decision;

    /// <summary>Whether a node of the cluster has the grain of resources, but not the one that is the mark.</summary>
    public static bool AreIn(ClusterManifest cluster, GrainInterfaceType grain, GrainInterfaceType mark) =>
        cluster.Silos.Values.Any(node => node.Interfaces.ContainsKey(grain) && !node.Interfaces.ContainsKey(mark));
}
