namespace Resources.Cluster.Tests;

/// <summary>Three nodes of a cluster, shared by the tests of a class that stop none of them.</summary>
public sealed class ThreeNodes(TestPostgres postgres) : IAsyncLifetime
{
    readonly List<ServerProcess> nodes = [];

    internal IReadOnlyList<ServerProcess> Nodes => nodes;

    public async ValueTask InitializeAsync()
    {
        var database = await postgres.CreateDatabaseAsync();
        var cluster = $"shared-{Guid.NewGuid():n}";
        for (var i = 0; i < 3; i++)
            nodes.Add(ServerProcess.Start(database, cluster));
        foreach (var node in nodes)
            await node.ReadyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }
}
