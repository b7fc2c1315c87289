using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>One node, and an account that may read everything.</summary>
public sealed class SubscriptionNode(TestPostgres postgres) : IAsyncLifetime
{
    public LogDatabase Tables { get; } = new(postgres);

    internal InProcessSilo Node { get; private set; } = null!;

    public Guid Owner { get; private set; }

    public async ValueTask InitializeAsync()
    {
        await Tables.InitializeAsync();
        Node = await InProcessSilo.StartAsync(
            Tables,
            $"events-{Guid.NewGuid():n}",
            ("Webhooks:AllowPrivateTargets", "true"),
            ("Webhooks:RetrySeconds", "60")
        );
        (Owner, _) = await Node.Service<Accounts>()
            .RegisterAsync(new($"{Guid.NewGuid():n}@example.org", null, ["admin"], true), Intent.OfNode());
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        await Tables.DisposeAsync();
    }
}
