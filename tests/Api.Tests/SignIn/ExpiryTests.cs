using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>
/// What ends by the clock, on nodes whose clock is put forward. Events carry the database's time, which goes on as it
/// does.
/// </summary>
[Collection(MoreNodes.Name)]
public sealed class ExpiryTests(Backend backend)
{
    const string Me = "/api/v1/me";

    [Fact]
    public async Task B8_B11_A_session_that_is_not_used_for_long_is_over()
    {
        await using var node = await backend.StartNodeAsync(
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
    public async Task B8_B11_A_session_is_over_after_its_longest_time_however_it_is_used()
    {
        await using var node = await backend.StartNodeAsync(
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
    public async Task A10_A_link_to_set_a_password_is_good_for_an_hour()
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartNodeAsync(
            ("Mail:Host", "127.0.0.1"),
            ("Mail:Port", $"{mailbox.Port}")
        );
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

    static async Task<(Person Person, string RefreshToken, string Cookie)> BeginAsync(ApiNode node)
    {
        var admin = await new Caller(node.Address).LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
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
