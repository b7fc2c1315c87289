namespace Resources.Api.Tests;

/// <summary>Routes in Production.</summary>
public sealed class ProductionRouteTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "J9")]
    public async Task Production_serves_no_development_routes()
    {
        foreach (
            var path in new[]
            {
                "/graphiql",
                "/graphql/ui",
                "/swagger",
                "/swagger/index.html",
                "/debug",
                "/outbox",
                "/admin-password",
                "/master-key",
                "/appsettings.json",
                "/.data",
                "/.env",
                "/.git/config",
                "/api/v1/test",
                "/test",
                "/error",
                "/_framework/aspnetcore-browser-refresh.js",
            }
        )
        {
            Assert.Equal(401, (await backend.Guest.GetAsync(path)).Status);
            Assert.Equal(
                (404, "NOT_FOUND"),
                (await backend.Admin.GetAsync(path)) is var answer ? (answer.Status, answer.Code) : default
            );
        }
        // Neither is there a page for faults: what a fault says stays in the log.
        Assert.DoesNotContain(
            InProcessServer.FaultSecret,
            (
                await backend.Admin.GetAsync(
                    InProcessServer.FaultPath,
                    ("Accept", "text/html, application/problem+json")
                )
            ).ToString(),
            StringComparison.Ordinal
        );
    }
}
