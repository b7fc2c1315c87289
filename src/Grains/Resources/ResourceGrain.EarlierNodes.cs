using System.Globalization;
using Orleans.Metadata;
using Orleans.Runtime;

namespace Resources.Grains;

/// <summary>
/// The nodes of the release before, which may be in the cluster during an upgrade. They do not know
/// <see cref="ResourceChanged"/>: a grain of theirs would fail on it, and lists would stand still.
/// </summary>
public sealed class EarlierNodes(IClusterManifestProvider manifests, GrainInterfaceTypeResolver types)
{
    readonly GrainInterfaceType grain = types.GetGrainInterfaceType(typeof(IResourceGrain));

    /// <summary>Whether there are any.</summary>
    internal bool AreThere => AreIn(manifests.Current, grain);

    /// <summary>The decision in events that every node of the cluster reads.</summary>
    internal Decision<ResourceEvent> Readable(Resource? state, Decision<ResourceEvent> decision) =>
        decision.Events is [ResourceChanged changed] && AreThere ? [changed.AsReplaced(state!)] : decision;

    /// <summary>Whether a node of the cluster has a lower version of the grain of resources, or none.</summary>
    public static bool AreIn(ClusterManifest cluster, GrainInterfaceType grain) =>
        cluster.Silos.Values.Any(node =>
            node.Interfaces.TryGetValue(grain, out var declared)
            && (
                !declared.Properties.TryGetValue(WellKnownGrainInterfaceProperties.Version, out var version)
                || ushort.Parse(version, CultureInfo.InvariantCulture) < IResourceGrain.Version
            )
        );
}
