namespace Resources.Api.Tests;

/// <summary>The audit log.</summary>
public sealed class AuditTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "J3")]
    public async Task Audit_records_actor_action_address_and_session()
    {
        var person = await backend.CreatePersonAsync("author");
        Assert.Equal(401, (await person.TryAsync("not the password at all")).Status);
        await Eventually.HoldsAsync(async () =>
            (await backend.EventsAsync(person.Id)).Contains("account.login_failed")
        );
        var caller = (await person.LoginAsync()).Caller;
        var session = (await caller.GetAsync("/api/v1/me")).Text("/data/session");
        var made = await caller.SendAsync("POST", "/api/v1/resources", """{"name":"audited"}""");
        var audit = await backend.Admin.GetAsync($"/api/v1/audit?actor={person.Id}");
        Assert.Equal(
            ["resource.created", "session.started", "account.login_failed"],
            audit.At("/data")!.Value.EnumerateArray().Select(entry => entry.GetProperty("type").GetString())
        );
        Assert.Equal(
            (made.Text("/data/id"), session, "127.0.0.1"),
            (
                audit.Text("/data/0/subject"),
                audit.Text("/data/0/session"),
                audit.Text("/data/0/address")?.Replace("::ffff:", "", StringComparison.Ordinal)
            )
        );
        Assert.Equal(session, audit.Text("/data/1/session"));
        Assert.Equal("password", audit.Text("/data/2/data/factor"));

        Assert.Equal(
            2,
            (await backend.Admin.GetAsync($"/api/v1/audit?session={session}")).At("/data")!.Value.GetArrayLength()
        );
        Assert.Equal(
            "account.registered",
            (await backend.Admin.GetAsync($"/api/v1/audit?subject={person.Id}&event=account.*&limit=10"))
                .At("/data")!
                .Value.EnumerateArray()
                .Last()
                .GetProperty("type")
                .GetString()
        );
        var page = await backend.Admin.GetAsync($"/api/v1/audit?actor={person.Id}&limit=1");
        Assert.Equal(
            "session.started",
            (
                await backend.Admin.GetAsync(
                    $"/api/v1/audit?actor={person.Id}&limit=1&cursor={page.Text("/meta/page/next")}"
                )
            ).Text("/data/0/type")
        );
        Assert.Equal(403, (await caller.GetAsync("/api/v1/audit")).Status);
        Assert.Equal(
            ["?cursor", "?event", "?subject", "?session", "?since"],
            (
                await backend.Admin.GetAsync("/api/v1/audit?cursor=x&event=king.*&subject=1&session=2&since=yesterday")
            ).Faults
        );
    }
}
