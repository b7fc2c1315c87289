using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>The audit of subscriptions.</summary>
public sealed class SubscriptionAuditTests(Backend backend)
{
    [Fact]
    public async Task Audit_tells_who_created_rotated_and_deleted_a_subscription_and_no_secret()
    {
        var (path, secret) = await SubscribeAsync(
            backend.Author,
            FreshType(),
            new("https://93.184.215.14/services/hidden?key=hidden")
        );
        var id = path.Split('/')[^1];
        var rotated = await backend.Author.SendAsync("POST", path + "/secret");
        Assert.Equal(200, rotated.Status);
        foreach (var change in new[] { "pause", "pause", "resume" })
            Assert.Equal(200, (await backend.Admin.SendAsync("POST", $"{path}/{change}")).Status);
        Assert.Equal(200, (await backend.Author.SendAsync("POST", path + "/replay", """{"position":"0"}""")).Status);
        Assert.Equal(204, (await backend.Author.SendAsync("DELETE", path)).Status);

        var audit = await backend.Admin.GetAsync($"/api/v1/audit?subject={id}&event=subscription.*");

        var author = (await backend.Author.GetAsync("/api/v1/me")).Text("/data/id");
        var admin = (await backend.Admin.GetAsync("/api/v1/me")).Text("/data/id");
        Assert.Equal(
            [
                ("subscription.deleted", author),
                ("subscription.replayed", author),
                ("subscription.resumed", admin),
                ("subscription.paused", admin),
                ("subscription.secret_rotated", author),
                ("subscription.created", author),
            ],
            Rows(audit).Select(entry => (entry.GetProperty("type").GetString(), entry.GetProperty("actor").GetString()))
        );
        Assert.All(Rows(audit), entry =>
        {
            Assert.Equal(36, entry.GetProperty("session").GetString()!.Length);
            Assert.NotEmpty(entry.GetProperty("address").GetString()!);
        });
        Assert.Equal("https://93.184.215.14", audit.Text("/data/5/data/delivery/origin"));
        foreach (var hidden in new[] { secret!, rotated.Text("/data/secret")!, "hidden" })
            Assert.DoesNotContain(hidden, audit.ToString(), StringComparison.Ordinal);
        Assert.Equal(403, (await backend.Author.GetAsync($"/api/v1/audit?subject={id}")).Status);
    }
}
