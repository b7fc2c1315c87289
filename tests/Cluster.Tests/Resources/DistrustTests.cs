using System.Text;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>What a grain remembers while another one may write its stream.</summary>
public sealed class DistrustTests(TwoClusters nodes) : IClassFixture<TwoClusters>
{
    [Fact]
    public async Task Grain_of_a_member_distrusts_its_memory_until_no_unit_can_come_any_more()
    {
        await using var node = await InProcessSilo.StartAsync(nodes.Database, $"distrust-{Guid.NewGuid():n}");
        await node.PassAsync(TimeSpan.FromSeconds(20));
        var id = Guid.CreateVersion7();
        await Referring.PutAsync(nodes.One, id, "free");
        Assert.Equal(1, (await node.Resource(id).Get()).Version);
        await RenameAsync(id);
        // As long as nothing is known of a unit, memory is answered.
        Assert.Equal(1, (await node.Resource(id).Get()).Version);

        await node.Resource(id).Distrust();

        Assert.Equal(2, (await node.Resource(id).Get()).Version);
        await RenameAsync(id);
        await node.PassAsync(TimeSpan.FromSeconds(31));
        Assert.Equal(3, (await node.Resource(id).Get()).Version);
        await RenameAsync(id);
        // The unit cannot come any more, but may have come since the last look.
        await node.PassAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(4, (await node.Resource(id).Get()).Version);
        await RenameAsync(id);
        Assert.Equal(4, (await node.Resource(id).Get()).Version);
    }

    async Task RenameAsync(Guid id) =>
        Assert.Null(
            (
                await nodes
                    .One.Resource(id)
                    .Execute(
                        new PatchResource(
                            PatchFormat.Merge,
                            Encoding.UTF8.GetBytes($$"""{"name":"{{Guid.NewGuid()}}"}""")
                        ),
                        Referring.Intend()
                    )
            ).Rejection
        );
}
