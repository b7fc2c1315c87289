using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>
/// Expiration, on servers whose clock is put forward. Events carry the time of the database, which is not.
/// </summary>
public sealed class ExpirationTests(Backend backend)
{
    const string Me = "/api/v1/me";

    [Fact]
    [Trait("Conformance", "B8")]
    [Trait("Conformance", "B11")]
    public async Task Idle_session_expires()
    {
        await using var node = await backend.StartServerAsync(
            ("Sessions:IdleHours", "3"),
            ("Sessions:AbsoluteHours", "1000")
        );
        var (person, token, cookie) = await BeginAsync(node);
        node.Clock.Ahead = TimeSpan.FromMinutes(179);
        token = await GoesOnAsync(person, token, cookie);
        // A cookie that was just used is not looked up again for ten minutes.
        node.Clock.Ahead = TimeSpan.FromMinutes(192);
        await IsOverAsync(person, token, cookie);
    }

    [Fact]
    [Trait("Conformance", "B8")]
    [Trait("Conformance", "B11")]
    public async Task Session_expires_after_its_absolute_lifetime_despite_use()
    {
        await using var node = await backend.StartServerAsync(
            ("Sessions:IdleHours", "1000"),
            ("Sessions:AbsoluteHours", "3")
        );
        var (person, token, cookie) = await BeginAsync(node);
        foreach (var minutes in new[] { 60, 120, 179 })
        {
            node.Clock.Ahead = TimeSpan.FromMinutes(minutes);
            token = await GoesOnAsync(person, token, cookie);
        }
        node.Clock.Ahead = TimeSpan.FromMinutes(182);
        await IsOverAsync(person, token, cookie);
    }

    [Fact]
    [Trait("Conformance", "B11")]
    public async Task Access_token_ends_with_its_session()
    {
        await using var node = await backend.StartServerAsync(("Sessions:AbsoluteHours", "3"));
        var admin = await node.AdminAsync();
        var person = await Person.CreateAsync(admin, node.Address, "user");
        var session = await person.LoginAsync();
        node.Clock.Ahead = TimeSpan.FromMinutes(170);
        var refreshed = await person.RefreshAsync(session.RefreshToken);
        // Of 60 minutes; the session began some seconds before.
        Assert.InRange(refreshed.At("/data/expiresIn")!.Value.GetInt32(), 300, 600);
        var caller = person.Of(refreshed).Caller;
        Assert.Equal(200, (await caller.GetAsync(Me)).Status);
        node.Clock.Ahead = new(3, 0, 1);
        // Known to be good a moment ago, and not known yet.
        Assert.Equal(401, (await caller.GetAsync(Me)).Status);
        Assert.Equal(401, (await session.Caller.GetAsync(Me)).Status);
    }

    [Fact]
    [Trait("Conformance", "A10")]
    public async Task Password_link_expires_after_an_hour()
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartServerAsync([.. mailbox.ServerOptions]);
        var (person, _, _) = await BeginAsync(node);
        Assert.Equal(
            202,
            (
                await person.Guest.SendAsync(
                    "POST",
                    "/api/v1/auth/forgot-password",
                    JsonSerializer.Serialize(new { email = person.Email })
                )
            ).Status
        );
        var body = JsonSerializer.Serialize(
            new
            {
                token = Mailbox.Token(await mailbox.MailToAsync(person.Email)),
                newPassword = "nine pigs saw a grey kettle",
            }
        );
        node.Clock.Ahead = TimeSpan.FromMinutes(61);
        Assert.Equal(
            (400, "TOKEN_SPENT"),
            await person.Guest.SendAsync("POST", "/api/v1/auth/set-password", body) is var late
                ? (late.Status, late.Code)
                : default
        );
        node.Clock.Ahead = TimeSpan.FromMinutes(58);
        Assert.Equal(204, (await person.Guest.SendAsync("POST", "/api/v1/auth/set-password", body)).Status);
    }

    static async Task<(Person Person, string RefreshToken, string Cookie)> BeginAsync(InProcessServer node)
    {
        var admin = await node.AdminAsync();
        var person = await Person.CreateAsync(admin, node.Address, "user");
        return (person, (await person.LoginAsync()).RefreshToken, (await person.LoginByCookieAsync()).Cookie);
    }

    static async Task<string> GoesOnAsync(Person person, string refreshToken, string cookie)
    {
        Assert.Equal(200, (await person.Guest.GetAsync(Me, ("Cookie", cookie))).Status);
        var refreshed = await person.RefreshAsync(refreshToken);
        Assert.True(refreshed.Status is 200, $"{refreshed}");
        return refreshed.Text("/data/refreshToken")!;
    }

    static async Task IsOverAsync(Person person, string refreshToken, string cookie)
    {
        Assert.Equal(401, (await person.Guest.GetAsync(Me, ("Cookie", cookie))).Status);
        Assert.Equal(401, (await person.RefreshAsync(refreshToken)).Status);
        // A new one begins as ever.
        Assert.Equal(200, (await person.TryAsync()).Status);
    }
}
