namespace Resources.Cluster.Tests;

/// <summary>Two clusters of one silo each over one database: each grain has two activations.</summary>
public sealed class TwoClusters(TestPostgres postgres) : IAsyncLifetime
{
    public LogDatabase Database { get; } = new(postgres);
    internal InProcessSilo One { get; private set; } = null!;
    internal InProcessSilo Other { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await Database.InitializeAsync();
        One = await InProcessSilo.StartAsync(Database, "grains-one");
        Other = await InProcessSilo.StartAsync(Database, "grains-other");
    }

    public async ValueTask DisposeAsync()
    {
        await One.DisposeAsync();
        await Other.DisposeAsync();
        await Database.DisposeAsync();
    }
}
