namespace Resources.Api.Tests;

/// <summary>Refresh tokens.</summary>
public sealed class RefreshTokenTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "B7")]
    public async Task Refresh_token_is_single_use_and_reuse_ends_the_session()
    {
        var person = await backend.CreatePersonAsync("user");
        var first = await person.LoginAsync();
        var second = person.Of(await person.RefreshAsync(first.RefreshToken));
        var third = person.Of(await person.RefreshAsync(second.RefreshToken));
        Assert.Equal(200, (await third.Caller.GetAsync("/api/v1/me")).Status);
        Assert.Equal(
            (401, "SESSION_OVER"),
            (await person.RefreshAsync(first.RefreshToken)) is var reused ? (reused.Status, reused.Code) : default
        );
        Assert.Equal(401, (await person.RefreshAsync(third.RefreshToken)).Status);
        await Eventually.HoldsAsync(async () => (await third.Caller.GetAsync("/api/v1/me")).Status is 401);
        var audit = await backend.Admin.GetAsync($"/api/v1/audit?actor={person.Id}&event=session.ended");
        Assert.Equal("reused", audit.Text("/data/0/data/reason"));
    }

    [Fact]
    [Trait("Conformance", "B7")]
    public async Task Concurrent_refreshes_of_one_token_succeed_once()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => person.RefreshAsync(session.RefreshToken)));
        Assert.Single(answers, answer => answer.Status is 200);
    }

    [Fact]
    [Trait("Conformance", "B8")]
    public async Task Revoked_refresh_token_ends_its_session_and_no_answer_tells_whether_it_was_good()
    {
        var person = await backend.CreatePersonAsync("user");
        var other = await person.LoginAsync();
        var first = await person.LoginAsync();
        var second = person.Of(await person.RefreshAsync(first.RefreshToken));
        var answers = new List<Answer>();
        foreach (
            var token in new[]
            {
                "rrt_none",
                "x",
                second.RefreshToken[..^1] + (second.RefreshToken[^1] is 'A' ? 'E' : 'A'),
                second.Caller.Token![..512],
                second.RefreshToken,
                second.RefreshToken,
                first.RefreshToken,
            }
        )
            answers.Add(await person.Guest.PostAsync("/auth/revoke", new { refreshToken = token }));
        Assert.All(answers, answer => Assert.Equal((204, 0), (answer.Status, answer.Body.Length)));
        Assert.Equal(401, (await person.RefreshAsync(second.RefreshToken)).Status);
        await Eventually.HoldsAsync(async () => (await second.Caller.GetAsync("/api/v1/me")).Status is 401);
        Assert.Equal(200, (await other.Caller.GetAsync("/api/v1/me")).Status);
        var audit = await backend.Admin.GetAsync($"/api/v1/audit?actor={person.Id}&event=session.ended");
        Assert.Equal((1, "revoked"), (audit.At("/data")!.Value.GetArrayLength(), audit.Text("/data/0/data/reason")));

        // One that is spent proves as much: whoever has it had the session.
        Assert.Equal(200, (await person.RefreshAsync(other.RefreshToken)).Status);
        Assert.Equal(
            204,
            (await person.Guest.PostAsync("/auth/revoke", new { refreshToken = other.RefreshToken })).Status
        );
        await Eventually.HoldsAsync(async () => (await other.Caller.GetAsync("/api/v1/me")).Status is 401);
    }

    [Fact]
    [Trait("Conformance", "B7")]
    public async Task Invented_refresh_token_ends_no_session()
    {
        var person = await backend.CreatePersonAsync("user");
        var session = await person.LoginAsync();
        foreach (
            var wrong in new[]
            {
                session.RefreshToken[..^1] + (session.RefreshToken[^1] is 'A' ? 'B' : 'A'),
                "rrt_" + new string('A', 70),
                session.RefreshToken + "A",
                session.Caller.Token!,
                "",
            }
        )
            Assert.Contains((await person.RefreshAsync(wrong)).Status, new[] { 400, 401 });
        Assert.Equal(200, (await person.RefreshAsync(session.RefreshToken)).Status);
    }
}
