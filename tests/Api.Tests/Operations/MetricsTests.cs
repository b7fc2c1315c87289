using System.Text;

namespace Resources.Api.Tests;

/// <summary>Metrics of a process that has several nodes, as a test host has.</summary>
public sealed class MetricsTests(Backend backend)
{
    [Fact]
    public async Task Node_shows_its_own_metrics_whatever_becomes_of_others_in_its_process()
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        await using (var other = await backend.StartServerAsync())
        {
            await ShowsAsync();
            await (await other.AdminAsync()).SendAsync("POST", "/api/v1/resources", """{"name":"elsewhere"}""");
            await ShowsAsync();
        }
        await ShowsAsync();

        // The position is that of this node's log, which no other node writes.
        async Task ShowsAsync()
        {
            await admin.SendAsync("POST", "/api/v1/resources", """{"name":"here"}""");
            string? metrics = null;
            await Eventually.HoldsAsync(
                async () =>
                {
                    var position = (await admin.GetAsync("/api/v1/admin/followers")).Text("/data/0/position");
                    metrics = Encoding.UTF8.GetString((await admin.GetAsync("/metrics")).Body);
                    return metrics.Contains(
                        $"resources_follower_position{{otel_scope_name=\"Resources.Followers\",follower=\"resource_views\"}} {position}\n",
                        StringComparison.Ordinal
                    );
                },
                TimeSpan.FromSeconds(30),
                () => $"the metrics show the position: {metrics}"
            );
        }
    }
}
