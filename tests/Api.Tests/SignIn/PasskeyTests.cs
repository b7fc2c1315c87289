using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Passkeys, with third-party authenticators.</summary>
public sealed class PasskeyTests(Backend backend, JavaScriptProgram node)
{
    const string Password = "a password of enough length";

    [Fact]
    [Trait("Conformance", "A18")]
    public async Task Emulated_authenticator_registers_and_signs_in_and_each_tampering_is_refused()
    {
        var email = $"{Guid.NewGuid():n}@example.org";
        Assert.Equal(201, (await backend.AddUserAsync(email, Password, "user")).Status);
        var output = JsonElement.Parse(
            await node.RunAsync("passkeys.mjs", $"{backend.Server.Address}", email, Password)
        );

        Assert.Equal(
            (201, 200, "[\"hwk\"]"),
            (Number("registered"), Number("login"), output.GetProperty("methods").GetRawText())
        );
        Assert.Equal(
            ("localhost", "required", "required"),
            (
                Option("options", "rp", "id"),
                Option("options", "authenticatorSelection", "userVerification"),
                Option("options", "authenticatorSelection", "residentKey")
            )
        );
        Assert.True(Option("options", "challenge").Length >= 43, "The challenge has less than 32 bytes.");
        foreach (
            var refused in new[]
            {
                "registeredTwice",
                "registeredElsewhere",
                "replayed",
                "replayedToAnother",
                "afterRemoval",
            }
        )
            Assert.Equal((refused, 401), (refused, Number(refused)));
        Assert.True(output.GetProperty("passwordAlone").GetBoolean());
        Assert.All(output.GetProperty("tampered").EnumerateObject(), tampering =>
            Assert.Equal((tampering.Name, 401), (tampering.Name, tampering.Value.GetInt32()))
        );
        Assert.Equal((200, 204), (Number("unaltered"), Number("removed")));

        int Number(string name) => output.GetProperty(name).GetInt32();
        string Option(params string[] path) =>
            path.Aggregate(output, (element, name) => element.GetProperty(name)).GetString()!;
    }

    [Fact]
    [Trait("Conformance", "A18")]
    public async Task Lying_authenticator_is_refused()
    {
        string[] emails = [$"{Guid.NewGuid():n}@example.org", $"{Guid.NewGuid():n}@example.org"];
        var users = new List<Guid>();
        foreach (var email in emails)
            users.Add(Guid.Parse((await backend.AddUserAsync(email, Password, "user")).Text("/data/id")!));
        var output = JsonElement.Parse(
            await node.RunAsync("passkeys-attacks.mjs", $"{backend.Server.Address}", emails[0], emails[1], Password)
        );
        TestContext.Current.SendDiagnosticMessage(output.GetRawText());

        Assert.All(
            output
                .GetProperty("registration")
                .EnumerateObject()
                .Concat(output.GetProperty("elsewhere").EnumerateObject()),
            attack => Assert.Equal((attack.Name, 401), (attack.Name, attack.Value.GetInt32()))
        );
        Assert.Equal(
            (201, 404, 401, 200),
            (Number("registered"), Number("removedByAnother"), Number("stepUpOfAnother"), Number("unaltered"))
        );
        Assert.Equal("""{"again":401,"byAnother":401}""", output.GetProperty("taken").GetRawText());
        Assert.Equal(
            """{"status":200,"sameSession":true,"methods":["pwd","hwk"]}""",
            output.GetProperty("stepUp").GetRawText()
        );
        Assert.Contains("account.login_failed", await backend.EventsAsync(users[0]));
        // Some members are not read.
        Assert.All(output.GetProperty("malformed").EnumerateArray(), answer =>
            Assert.Contains(answer.GetInt32(), new[] { 201, 400, 401 })
        );
        Assert.All(output.GetProperty("flipped").EnumerateObject(), member =>
            Assert.Equal("401", Assert.Single(member.Value.EnumerateObject()).Name)
        );
        // Some bytes of a registration mean nothing: its authenticator's model, the counter.
        Assert.All(output.GetProperty("flippedRegistration").EnumerateObject(), answer =>
            Assert.Contains(answer.Name, new[] { "201", "401", "409" })
        );

        int Number(string name) => output.GetProperty(name).GetInt32();
    }

    [Fact]
    [Trait("Conformance", "A18")]
    public async Task Chromium_registers_a_passkey_and_signs_in_by_token_and_by_cookie()
    {
        var email = $"{Guid.NewGuid():n}@example.org";
        Assert.Equal(201, (await backend.AddUserAsync(email, Password, "user")).Status);
        var output = JsonElement.Parse(
            await node.RunAsync("passkeys-browser.mjs", $"{backend.Server.Address}", email, Password, Browser.Path())
        );
        Assert.Equal(
            $$"""{"registered":201,"login":200,"me":"{{email}}","cookieLogin":200,"meByCookie":"cookie","writeWithoutCsrf":"CSRF_REJECTED","writeWithCsrf":204,"notVerified":"NotAllowedError"}""",
            output.GetRawText()
        );
    }

    [Fact]
    [Trait("Conformance", "A19")]
    public async Task Passkey_options_do_not_reveal_whether_an_account_exists()
    {
        var one = await backend.Guest.SendAsync("POST", "/api/v1/auth/passkey/options");
        var other = await backend.Guest.SendAsync(
            "POST",
            "/api/v1/auth/passkey/options",
            null,
            "application/json",
            ("Host", "evil.example")
        );
        Assert.Equal(
            ("localhost", "[]"),
            (one.Text("/data/options/rpId"), one.Text("/data/options/allowCredentials") ?? "[]")
        );
        Assert.Equal(one.Text("/data/options/rpId"), other.Text("/data/options/rpId"));
        Assert.NotEqual(one.Text("/data/options/challenge"), other.Text("/data/options/challenge"));
    }
}
