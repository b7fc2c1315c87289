using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Limits on mails that guests can trigger.</summary>
public sealed class MailLimitTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "J11")]
    public async Task Mails_triggered_by_guests_are_limited_by_address_and_recipient()
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartServerAsync([
            .. mailbox.ServerOptions,
            ("Accounts:Registration", "open"),
            ("Proxies:Trusted:0", "127.0.0.0/8"),
            ("RateLimits:Reset:Permits", "3"),
            ("RateLimits:Reset:WindowSeconds", "3600"),
        ]);
        var guest = node.Guest();
        Task<Answer> AskAsync(string email, string from) =>
            guest.SendAsync(
                "POST",
                "/api/v1/auth/register",
                JsonSerializer.Serialize(new { email, password = "nine pigs saw a grey kettle" }),
                headers: ("X-Forwarded-For", from)
            );

        // One recipient, from everywhere.
        for (var i = 0; i < 3; i++)
            Assert.Equal(202, (await AskAsync("victim@example.org", $"198.51.100.{i}")).Status);
        Assert.Equal(429, (await AskAsync("victim@example.org", "198.51.100.9")).Status);
        // Many recipients, from one place.
        for (var i = 0; i < 3; i++)
            Assert.Equal(202, (await AskAsync($"someone{i}@example.org", "203.0.113.1")).Status);
        Assert.Equal(429, (await AskAsync("someone9@example.org", "203.0.113.1")).Status);

        await AskAsync("last@example.org", "203.0.113.2");
        await mailbox.MailToAsync("last@example.org");
        // Mails go out in order: when the last is there, all are.
        Assert.Equal(6, mailbox.Count);
    }
}
