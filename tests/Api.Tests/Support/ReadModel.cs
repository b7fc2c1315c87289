namespace Resources.Api.Tests;

/// <summary>The read model of resources.</summary>
static class ReadModel
{
    /// <summary>Checks that the audit has what operators have done to it, newest first.</summary>
    public static async Task HasInAuditAsync(ApiClient admin, params string[] acts)
    {
        var entries = await admin.GetAsync("/api/v1/audit?event=follower.*");
        Assert.Equal(
            acts.Select(act => ("follower." + act, "resource_views")),
            entries
                .At("/data")!
                .Value.EnumerateArray()
                .Select(entry =>
                    (entry.GetProperty("type").GetString()!, entry.GetProperty("data").GetProperty("name").GetString()!)
                )
        );
    }

    /// <summary>Rebuilds it and waits until the new generation serves lists.</summary>
    public static async Task RebuildAsync(ApiClient admin)
    {
        var asked = await admin.SendAsync("POST", "/api/v1/admin/followers/resource_views/rebuild");
        Assert.Equal(202, asked.Status);
        await Eventually.HoldsAsync(
            async () =>
                (await admin.GetAsync("/api/v1/admin/followers")).Text("/data/0/generation") is { } generation
                && generation != asked.Text("/data/generation"),
            TimeSpan.FromSeconds(20)
        );
    }
}
