using System.Collections.Immutable;
using System.Net;
using Orleans.Metadata;
using Orleans.Runtime;
using Resources.Grains;
using static Resources.Domain.Tests.Story;

namespace Resources.Domain.Tests;

/// <summary>During a rolling upgrade nothing is written that nodes of the release before cannot read.</summary>
public class EarlierNodeTests
{
    static readonly GrainInterfaceType Grain = GrainInterfaceType.Create("resources.IResourceGrain");

    // A node that has no grains of resources reads none.
    [Theory]
    [InlineData("1", false)]
    [InlineData("1 2", false)]
    [InlineData("1 none", false)]
    [InlineData("1 0", true)]
    [InlineData("1 unversioned", true)]
    public void A_node_is_earlier_when_its_grain_of_resources_is(string nodes, bool areEarlier) =>
        Assert.Equal(areEarlier, EarlierNodes.AreIn(Cluster(nodes.Split(' ')), Grain));

    [Fact]
    public void Replacement_that_they_read_makes_the_same_state()
    {
        var (state, version) = Fold([Created]);
        foreach (
            var patch in new[]
            {
                """{"name":"Urfaust","status":"draft"}""",
                """{"name":"Urfaust","metadata":{"price":1}}""",
                """{"status":"draft","metadata":null}""",
                """{"name":"Urfaust","status":"draft","metadata":{"price":1}}""",
            }
        )
        {
            var changed = Assert.IsType<ResourceChanged>(Assert.Single(When([Created], MergePatch(patch)).Events));
            var replaced = changed.AsReplaced(state!);
            Assert.Equal(changed.Changed, replaced.Changed);
            Assert.Equal(
                Resource.Evolve(state, Record(changed, version + 1)),
                Resource.Evolve(state, Record(replaced, version + 1))
            );
        }
    }

    static ClusterManifest Cluster(string[] nodes) =>
        new(
            MajorMinorVersion.Zero,
            nodes
                .Select(
                    (version, i) => (SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1000 + i), 1), Node(version))
                )
                .ToImmutableDictionary(node => node.Item1, node => node.Item2)
        );

    static GrainManifest Node(string version)
    {
        var interfaces = ImmutableDictionary<GrainInterfaceType, GrainInterfaceProperties>.Empty;
        if (version is not "none")
            interfaces = interfaces.Add(Grain, new(Properties(version)));
        return new(ImmutableDictionary<GrainType, GrainProperties>.Empty, interfaces);
    }

    static ImmutableDictionary<string, string> Properties(string version)
    {
        var none = ImmutableDictionary.Create<string, string>(StringComparer.Ordinal);
        return version is "unversioned" ? none : none.Add(WellKnownGrainInterfaceProperties.Version, version);
    }
}
