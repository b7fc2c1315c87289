namespace Resources.Api.Tests;

/// <summary>The explanation of an access decision.</summary>
public sealed class ExplanationTests(Backend backend)
{
    [Fact]
    public async Task Explanation_gives_the_granting_role_or_the_reason_for_refusal()
    {
        var role = await backend.CreateRoleAsync("resource/bicycle:update:own", "resource:read");
        var person = await backend.CreatePersonAsync(role);
        var caller = (await person.LoginAsync()).Caller;
        var sample = await backend.CreateAsync();
        var no = await ExplainAsync("resource:delete", null);
        Assert.Equal(
            ("false", $"None of them allows resource:delete."),
            (no.Text("/data/allowed"), no.Text("/data/because/1"))
        );
        Assert.Equal(
            ("true", role, "resource/bicycle:update:own"),
            (await ExplainAsync("resource:update", null)) is var yes
                ? (
                    yes.Text("/data/allowed"),
                    yes.Text("/data/grantedBy/0/role"),
                    yes.Text("/data/grantedBy/0/permission")
                )
                : default
        );
        Assert.Equal(
            ("false", "The resource is another's, or of another type than is allowed."),
            (await ExplainAsync("resource:update", sample.Id)) is var others
                ? (others.Text("/data/allowed"), others.Text("/data/because/2"))
                : default
        );
        Assert.Equal(
            "There is no such resource for the caller.",
            (await ExplainAsync("resource:update", Guid.NewGuid())).Text("/data/because/2")
        );
        Assert.Equal(
            ["/permission", "/resourceId"],
            (
                await caller.SendAsync(
                    "POST",
                    "/api/v1/access/explain",
                    """{"permission":"resource:fly","resourceId":"x"}"""
                )
            ).Faults
        );

        Task<Answer> ExplainAsync(string permission, Guid? resourceId) =>
            caller.SendAsync(
                "POST",
                "/api/v1/access/explain",
                resourceId is null
                    ? $$"""{"permission":"{{permission}}"}"""
                    : $$"""{"permission":"{{permission}}","resourceId":"{{resourceId}}"}"""
            );
    }
}
