namespace Resources.Api.Tests;

/// <summary>What survives a restart.</summary>
public sealed class RestartTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "J6")]
    public async Task Sessions_and_keys_survive_a_restart_and_private_keys_are_stored_encrypted()
    {
        var database = await backend.CreateDatabaseAsync();
        string cookie,
            csrf,
            token,
            apiKey;
        await using (var node = InProcessServer.Start(database))
        {
            var admin = await node.AdminAsync();
            var person = await Person.CreateAsync(admin, node.Address, "author");
            (cookie, csrf, _) = await person.LoginByCookieAsync();
            var session = (await person.LoginAsync()).Caller;
            token = session.Token!;
            apiKey = (
                await session.SendAsync(
                    "POST",
                    "/api/v1/api-keys",
                    """{"name":"k","permissions":["resource:create"]}"""
                )
            ).Text("/data/key")!;
        }
        await using var restarted = InProcessServer.Start(database);
        var guest = restarted.Guest();
        (string, string)[] browser =
        [
            ("Cookie", cookie),
            ("X-CSRF-Token", csrf),
            ("Origin", restarted.Address.GetLeftPart(UriPartial.Authority)),
        ];
        Assert.Equal(
            201,
            (await guest.SendAsync("POST", "/api/v1/resources", """{"name":"by cookie"}""", headers: browser)).Status
        );
        foreach (var credential in new[] { token, apiKey })
            Assert.Equal(
                201,
                (
                    await guest.With(credential).SendAsync("POST", "/api/v1/resources", """{"name":"by credential"}""")
                ).Status
            );

        // A key of P-256 as PKCS #8 begins so; and so do its other forms as text.
        var dump = await Dump.OfAsync(database);
        foreach (
            var form in new[]
            {
                "308187020100301306072a8648ce3d0201",
                "MIGHAgEAMBMGByqGSM49AgEG",
                "PRIVATE KEY",
                "\"d\":",
            }
        )
            Assert.DoesNotContain(form, dump, StringComparison.OrdinalIgnoreCase);
    }
}
