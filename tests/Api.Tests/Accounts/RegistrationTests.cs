namespace Resources.Api.Tests;

/// <summary>Registration and invitation by mail.</summary>
public sealed class RegistrationTests(Backend backend)
{
    const string Password = "nine pigs saw a grey kettle";
    const string Another = "a second pig saw the kettle";

    [Fact]
    [Trait("Conformance", "A6")]
    public async Task Registration_does_not_reveal_accounts_and_sends_a_mail()
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartServerAsync([
            .. mailbox.ServerOptions,
            ("Accounts:Registration", "open"),
        ]);
        var guest = node.Guest();
        var email = $"{Guid.NewGuid():n}@example.org";
        var first = await guest.PostAsync("/auth/register", new { email, password = Password });
        Assert.Equal(202, first.Status);
        var mail = await mailbox.MailToAsync(email);
        Assert.Contains(
            "https://app.example.org/verify-email#token",
            mail.Replace("=\r\n", "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );

        var inactive = await guest.PostAsync("/auth/login", new { email, password = Password });
        Assert.Equal((403, "ACCOUNT_INACTIVE"), (inactive.Status, inactive.Code));
        Assert.Equal(401, (await guest.PostAsync("/auth/login", new { email, password = Another })).Status);
        Assert.Equal(
            "TOKEN_SPENT",
            (
                await guest.PostAsync("/auth/set-password", new { token = Mailbox.Token(mail), newPassword = Another })
            ).Code
        );
        Assert.Equal(
            "INVALID_CREDENTIALS",
            (await guest.PostAsync("/auth/verify-email", new { token = Mailbox.Token(mail), password = Another })).Code
        );
        Assert.Equal(
            204,
            (
                await guest.PostAsync("/auth/verify-email", new { token = Mailbox.Token(mail), password = Password })
            ).Status
        );
        var session = await guest.LoginAsync(email, Password);
        Assert.Equal("[\"user\"]", (await session.GetAsync("/api/v1/me")).Text("/data/roles"));

        var again = await guest.PostAsync("/auth/register", new { email, password = Another });
        Assert.Equal((202, first.Body.Length), (again.Status, again.Body.Length));
        Assert.DoesNotContain("token=", await mailbox.MailToAsync(email), StringComparison.Ordinal);
        await guest.LoginAsync(email, Password);
    }

    [Theory, InlineData("user", true), InlineData("author", false)]
    public async Task Start_warns_where_anybody_may_register_and_read_everything(string role, bool warns)
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartServerAsync([
            .. mailbox.ServerOptions,
            ("Accounts:Registration", "open"),
            ("Accounts:DefaultRoles:0", role),
            ("Logging:LogLevel:Default", "Warning"),
        ]);
        Assert.Equal(warns, node.Logs.Any(line => line.Contains("read every resource", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Stalled_mail_server_times_out_and_is_retried()
    {
        await using var mailbox = new Mailbox(endless: 1);
        await using var node = await backend.StartServerAsync([
            .. mailbox.ServerOptions,
            ("Accounts:Registration", "open"),
        ]);
        var email = $"{Guid.NewGuid():n}@example.org";
        Assert.Equal(202, (await node.Guest().PostAsync("/auth/register", new { email, password = Password })).Status);
        await mailbox.MailToAsync(email, seconds: 60);
    }

    [Fact]
    [Trait("Conformance", "A6")]
    public async Task Registering_the_address_of_another_person_grants_nothing()
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartServerAsync([
            .. mailbox.ServerOptions,
            ("Accounts:Registration", "open"),
        ]);
        var guest = node.Guest();
        var email = $"{Guid.NewGuid():n}@example.org";
        Assert.Equal(202, (await guest.PostAsync("/auth/register", new { email, password = Another })).Status);
        var first = Mailbox.Token(await mailbox.MailToAsync(email));
        // Its owner, who follows any of the links, has another password in mind.
        Assert.Equal(
            401,
            (await guest.PostAsync("/auth/verify-email", new { token = first, password = Password })).Status
        );
        Assert.Equal(202, (await guest.PostAsync("/auth/register", new { email, password = Password })).Status);
        var second = Mailbox.Token(await mailbox.MailToAsync(email));
        Assert.Equal(
            401,
            (await guest.PostAsync("/auth/verify-email", new { token = second, password = Another })).Status
        );
        Assert.Equal(
            204,
            (await guest.PostAsync("/auth/verify-email", new { token = second, password = Password })).Status
        );
        Assert.Equal(401, (await guest.PostAsync("/auth/login", new { email, password = Another })).Status);
        await guest.LoginAsync(email, Password);
    }

    [Fact]
    public async Task Invitation_lets_its_recipient_set_the_first_password()
    {
        await using var mailbox = new Mailbox();
        await using var node = await backend.StartServerAsync([
            .. mailbox.ServerOptions,
            ("Accounts:Registration", "invite"),
        ]);
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();
        Assert.Equal(
            201,
            (await admin.PostAsync("/users", new { email = "invited@example.org", roles = new[] { "author" } })).Status
        );
        Assert.Equal(
            401,
            (await guest.PostAsync("/auth/login", new { email = "invited@example.org", password = Password })).Status
        );
        Assert.Equal(
            204,
            (
                await guest.PostAsync(
                    "/auth/set-password",
                    new
                    {
                        token = Mailbox.Token(await mailbox.MailToAsync("invited@example.org")),
                        newPassword = Password,
                    }
                )
            ).Status
        );
        var session = await guest.LoginAsync("invited@example.org", Password);
        Assert.Equal(201, (await session.SendAsync("POST", "/api/v1/resources", """{"name":"first"}""")).Status);
        // Whoever reads one's mail has proved the address.
        Assert.Equal(
            "true",
            (await admin.GetAsync("/api/v1/users"))
                .At("/data")!
                .Value.EnumerateArray()
                .Single(user => user.GetProperty("email").GetString() is "invited@example.org")
                .GetProperty("emailVerified")
                .GetRawText()
        );
    }
}
