namespace Resources.Cluster.Tests;

/// <summary>A cluster of three processes that the tests of a class share, where none of them ends one.</summary>
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
