namespace Resources.Api.Tests;

/// <summary>Limits on guessing, on a server with few permits.</summary>
[Collection(MoreServers.Name)]
public sealed class PasswordGuessingTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "A8")]
    public async Task Ten_wrong_passwords_suspend_logins_of_that_account_only()
    {
        await using var node = await backend.StartServerAsync(
            ("RateLimits:LoginAccount:Permits", "10"),
            ("RateLimits:LoginAccount:WindowSeconds", "3600")
        );
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();
        var person = await Person.CreateAsync(admin, node.Address, "user");
        var other = await Person.CreateAsync(admin, node.Address, "user");
        // Right ones do not count.
        for (var i = 0; i < 12; i++)
            Assert.Equal(200, (await person.TryAsync()).Status);
        for (var i = 0; i < 10; i++)
            Assert.Equal(401, (await person.TryAsync("not the password at all")).Status);
        foreach (var password in new[] { "not the password at all", Person.Password })
        {
            var refused = await person.TryAsync(password);
            Assert.Equal((429, "login_account"), (refused.Status, refused.Text("/violated-policies/0")));
            Assert.NotNull(refused["Retry-After"]);
        }
        Assert.Equal(200, (await other.TryAsync()).Status);
        // An address that nobody has is treated alike.
        for (var i = 0; i < 10; i++)
            Assert.Equal(
                401,
                (
                    await guest.SendAsync(
                        "POST",
                        "/api/v1/auth/login",
                        """{"email":"nobody@example.org","password":"x"}"""
                    )
                ).Status
            );
        Assert.Equal(
            429,
            (
                await guest.SendAsync("POST", "/api/v1/auth/login", """{"email":"Nobody@example.org","password":"x"}""")
            ).Status
        );
    }
}
