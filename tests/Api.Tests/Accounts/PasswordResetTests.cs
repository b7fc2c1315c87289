namespace Resources.Api.Tests;

/// <summary>Resetting a password by mail.</summary>
public sealed class PasswordResetTests(Backend backend)
{
    const string Password = "nine pigs saw a grey kettle";
    const string Another = "a second pig saw the kettle";

    [Fact]
    [Trait("Conformance", "A10")]
    public async Task Password_link_is_single_use_ends_all_sessions_and_does_not_replace_the_second_factor()
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartServerAsync([
            .. mailbox.ServerOptions,
            ("Accounts:Registration", "closed"),
        ]);
        var guest = node.Guest();
        Assert.Equal(
            (403, "REGISTRATION_CLOSED"),
            (await guest.PostAsync("/auth/register", new { email = "x@example.org", password = Password }))
                is var closed
                ? (closed.Status, closed.Code)
                : default
        );
        var person = await Person.CreateAsync(await guest.LoginAsAdminAsync(), node.Address, "user");
        var session = await person.LoginAsync();

        var known = await guest.PostAsync(
            "/auth/forgot-password",
            new { email = person.Email },
            ("X-Forwarded-Host", "evil.example"),
            ("Host", "evil.example")
        );
        var unknown = await guest.PostAsync("/auth/forgot-password", new { email = "nobody@example.org" });
        Assert.Equal((202, 202, known.Body.Length), (known.Status, unknown.Status, unknown.Body.Length));
        var mail = await mailbox.MailToAsync(person.Email);
        Assert.Contains(
            "https://app.example.org/set-password#token",
            mail.Replace("=\r\n", "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("evil", mail, StringComparison.Ordinal);

        var token = Mailbox.Token(mail);
        await Person.EnrollAsync(session.Caller);
        Assert.Equal(
            "PASSWORD_BLOCKED",
            Assert.Single(
                (
                    await guest.PostAsync("/auth/set-password", new { token, newPassword = "passwordpassword" })
                ).FaultCodes
            )
        );
        foreach (var wrong in new[] { token[..^1] + (token[^1] is 'A' ? 'B' : 'A'), token + "A", "x" })
            Assert.Equal(
                "TOKEN_SPENT",
                (await guest.PostAsync("/auth/set-password", new { token = wrong, newPassword = Another })).Code
            );
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ => guest.PostAsync("/auth/set-password", new { token, newPassword = Another }))
        );
        Assert.Single(answers, answer => answer.Status is 204);
        Assert.Equal(3, answers.Count(answer => answer.Code is "TOKEN_SPENT"));

        await Eventually.HoldsAsync(async () => (await session.Caller.GetAsync("/api/v1/me")).Status is 401);
        Assert.Equal(401, (await person.RefreshAsync(session.RefreshToken)).Status);
        Assert.Equal(401, (await person.TryAsync()).Status);
        Assert.Equal("true", (await person.TryAsync(Another)).Text("/data/mfaRequired"));
        Assert.Equal(0, mailbox.Count);
    }
}
