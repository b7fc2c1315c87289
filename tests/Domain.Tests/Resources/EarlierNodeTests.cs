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
    static readonly GrainInterfaceType Mark = GrainInterfaceType.Create("resources.IApiKeyRingGrain");

    // A node that has no grains of resources reads none.
    [Theory]
    [InlineData("marked", false)]
    [InlineData("marked marked", false)]
    [InlineData("marked none", false)]
    [InlineData("unmarked", true)]
    [InlineData("marked unmarked", true)]
    public void A_node_is_earlier_when_it_lacks_the_grain_that_came_with_the_event(string nodes, bool areEarlier) =>
        Assert.Equal(areEarlier, EarlierNodes.AreIn(Cluster(nodes.Split(' ')), Grain, Mark));

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

    [Fact]
    public void Patch_of_several_members_is_written_as_they_read_it_only_while_they_are_there()
    {
        var (state, _) = Fold([Created]);
        var decision = When([Created], MergePatch("""{"name":"Urfaust","status":"draft"}"""));
        Assert.IsType<ResourceReplaced>(Assert.Single(EarlierNodes.Readable(state, decision, areIn: true).Events));
        Assert.IsType<ResourceChanged>(Assert.Single(EarlierNodes.Readable(state, decision, areIn: false).Events));
        var narrow = When([Created], MergePatch("""{"name":"Urfaust"}"""));
        Assert.IsType<ResourceRenamed>(Assert.Single(EarlierNodes.Readable(state, narrow, areIn: true).Events));
    }

    [Fact]
    public void Status_that_nobody_gave_is_sent_only_while_they_are_there()
    {
        foreach (
            var command in new ResourceCommand[]
            {
                new CreateResource("book", "Faust", null, JsonText.Empty),
                new ReplaceResource(null, "Faust", null, JsonText.Empty),
            }
        )
        {
            Assert.Same(command, EarlierNodes.Readable(command, areIn: false));
            Assert.Contains(
                "Status = active",
                $"{EarlierNodes.Readable(command, areIn: true)}",
                StringComparison.Ordinal
            );
        }
        var given = new CreateResource("book", "Faust", "draft", JsonText.Empty);
        Assert.Same(given, EarlierNodes.Readable(given, areIn: true));
    }

    [Fact]
    public void Migration_is_written_as_they_read_it_only_while_they_are_there()
    {
        var (state, version) = Fold([Created]);
        var deleted = Resource.Evolve(state, Record(Deleted, version + 1));
        foreach (
            var (before, happened) in new (Resource, ResourceEvent)[]
            {
                (state!, new ResourceMigrated("draft", Text("{}"), ["/status", "/metadata"]) { TypeVersion = 3 }),
                (deleted, new ResourceRestored(null, "draft", null, ["/status"]) { TypeVersion = 3 }),
                (deleted, new ResourceRestored(null, null, Text("{}"), ["/metadata"]) { TypeVersion = 3 }),
                (deleted, new ResourceRestored("Egmont", null, null, ["/name"])),
            }
        )
        {
            var decision = ((Decision<ResourceEvent>)[happened]).Under(new(null, [], [], false));
            Assert.Same(happened, Assert.Single(EarlierNodes.Readable(before, decision, areIn: false).Events));
            var readable = EarlierNodes.Readable(before, decision, areIn: true);
            Assert.NotNull(readable.Guards);
            Assert.Equal("resource.replaced", new EventKinds()[readable.Events[^1].GetType()].Name);
            var then = readable.Events.Aggregate(before, (now, e) => Resource.Evolve(now, Record(e, version + 2)));
            Assert.Equal(Resource.Evolve(before, Record(happened, version + 2)), then);
        }
        var plain = EarlierNodes.Readable(deleted, [Restored], areIn: true);
        Assert.Equal(Restored, Assert.Single(plain.Events));
    }

    static ClusterManifest Cluster(string[] nodes) =>
        new(
            MajorMinorVersion.Zero,
            nodes
                .Select((kind, i) => (SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1000 + i), 1), Node(kind)))
                .ToImmutableDictionary(node => node.Item1, node => node.Item2)
        );

    static GrainManifest Node(string kind)
    {
        var none = new GrainInterfaceProperties(ImmutableDictionary.Create<string, string>(StringComparer.Ordinal));
        var interfaces = ImmutableDictionary<GrainInterfaceType, GrainInterfaceProperties>.Empty;
        if (kind is not "none")
            interfaces = interfaces.Add(Grain, none);
        if (kind is "marked")
            interfaces = interfaces.Add(Mark, none);
        return new(ImmutableDictionary<GrainType, GrainProperties>.Empty, interfaces);
    }
}
