using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Passwords (A1 to A8).</summary>
public sealed class PasswordTests(Backend backend)
{
    Task<Answer> CreateAsync(string password, string? email = null) =>
        backend.Admin.SendAsync(
            "POST",
            "/api/v1/users",
            JsonSerializer.Serialize(new { email = email ?? $"{Guid.NewGuid():n}@example.org", password })
        );

    [Theory]
    [
        InlineData("fourteen chars", 400),
        InlineData("fifteen letters", 201),
        InlineData("ŝpaces and emoji 😀 and more", 201),
        InlineData("aaaa bbbb cccc dddd eee", 201),
        InlineData("nine pigs saw a grey kettle", 201),
        InlineData("83719402846193750284", 201),
        InlineData("^%&*(!{}<>~+=-_?/", 201),
        InlineData("春眠不觉晓处处闻啼鸟夜来风雨声", 201)
    ]
    [Trait("Conformance", "A1")]
    [Trait("Conformance", "A2")]
    public async Task Length_is_required_and_composition_is_not(string password, int status) =>
        Assert.Equal(status, (await CreateAsync(password)).Status);

    [Theory, InlineData(64, 201), InlineData(128, 201), InlineData(129, 400)]
    [Trait("Conformance", "A1")]
    public async Task Long_passwords_count_in_full_or_are_refused(int length, int status)
    {
        var password = string.Concat(
            Enumerable.Range(0, length).Select(i => "the quick brown fox jumps over a lazy dog"[i * 7 % 41])
        );
        var email = $"{Guid.NewGuid():n}@example.org";
        Assert.Equal(status, (await CreateAsync(password, email)).Status);
        if (status is 201)
            Assert.Equal(
                401,
                (
                    await backend.Guest.SendAsync(
                        "POST",
                        "/api/v1/auth/login",
                        JsonSerializer.Serialize(new { email, password = password[..^1] })
                    )
                ).Status
            );
    }

    [Theory]
    [
        InlineData("passwordpassword"),
        InlineData("resources-resources"),
        InlineData("P@ssw0rd P@ssw0rd!"),
        InlineData("aaaaaaaaaaaaaaaa"),
        InlineData("123451234512345"),
        InlineData("qwertyuiopasdfgh"),
        InlineData("1234567890123456789"),
        InlineData("correct horse battery staple"),
        InlineData("administrator2026"),
        InlineData("letmein-letmein-1"),
        InlineData("Welcome to the Resources 1"),
        InlineData("password123456789"),
        InlineData("password 1984-04-12"),
        InlineData("zyxwvutsrqponmlk"),
        InlineData("$$$$$$$$$$$$$$$$$")
    ]
    [Trait("Conformance", "A3")]
    public async Task Common_passwords_are_refused(string password)
    {
        var refused = await CreateAsync(password);
        Assert.Equal(
            (400, "/password", "PASSWORD_BLOCKED"),
            (refused.Status, Assert.Single(refused.Faults), Assert.Single(refused.FaultCodes))
        );
    }

    [Fact]
    [Trait("Conformance", "A3")]
    public async Task Own_address_is_refused_as_password()
    {
        var email = $"longlocalpart{Guid.NewGuid():n}@example.org";
        Assert.Equal("PASSWORD_BLOCKED", Assert.Single((await CreateAsync(email, email)).FaultCodes));
        Assert.Equal(
            "PASSWORD_BLOCKED",
            Assert.Single((await CreateAsync(email.Split('@')[0] + "123", email)).FaultCodes)
        );
    }

    [Fact]
    [Trait("Conformance", "A4")]
    public async Task Password_is_compared_exactly_after_normalisation()
    {
        const string Composed = "un caf\u00e9 tr\u00e8s \u00e9loign\u00e9 ",
            Apart = "un cafe\u0301 tre\u0300s e\u0301loigne\u0301 ",
            Longer = "0123456789 grey kettles and a pig, nine of them, seventy-two bytes long ";
        var one = $"{Guid.NewGuid():n}@example.org";
        var other = $"{Guid.NewGuid():n}@example.org";
        Assert.Equal(201, (await CreateAsync(Composed, one)).Status);
        Assert.Equal(201, (await CreateAsync(Longer + "A", other)).Status);
        Assert.Equal(200, await LoginAsync(one, Composed));
        Assert.Equal(200, await LoginAsync(one, Apart));
        Assert.Equal(401, await LoginAsync(one, Composed.Trim()));
        Assert.Equal(401, await LoginAsync(one, Composed.ToUpper(CultureInfo.InvariantCulture)));
        Assert.Equal((200, 401), (await LoginAsync(other, Longer + "A"), await LoginAsync(other, Longer + "B")));

        async Task<int> LoginAsync(string email, string password) =>
            (
                await backend.Guest.SendAsync(
                    "POST",
                    "/api/v1/auth/login",
                    JsonSerializer.Serialize(new { email, password })
                )
            ).Status;
    }

    [Fact]
    [Trait("Conformance", "A5")]
    public async Task Passwords_have_slow_hashes_and_old_hashes_are_upgraded()
    {
        var passwords = backend.Server.Services.GetRequiredService<Passwords>();
        var hash = Convert.FromBase64String(await passwords.HashAsync("a password of enough length"));
        // Identity's version 3: the function (2 = HMAC-SHA512) and the rounds, both big-endian, behind the version.
        Assert.Equal((1, 2u), (hash[0], BitConverter.ToUInt32([.. hash[1..5].Reverse()])));
        Assert.True(BitConverter.ToUInt32([.. hash[5..9].Reverse()]) >= 210_000);

        var old = new Microsoft.AspNetCore.Identity.PasswordHasher<object>(
            Microsoft.Extensions.Options.Options.Create(
                new Microsoft.AspNetCore.Identity.PasswordHasherOptions { IterationCount = 1_000 }
            )
        ).HashPassword(this, "a password of enough length");
        Assert.Equal(PasswordCheck.RightButOld, await passwords.VerifyAsync(old, "a password of enough length"));
        var email = $"{Guid.NewGuid():n}@example.org";
        var (id, _) = await backend
            .Server.Services.GetRequiredService<Silo.Accounts>()
            .RegisterAsync(new(email, old, ["user"], true), Grains.Intent.OfNode());
        for (var i = 0; i < 2; i++)
            await backend.Guest.LoginAsync(email, "a password of enough length");
        Assert.Equal(["account.registered", "account.password_changed"], await backend.EventsAsync(id));
    }

    [Fact]
    [Trait("Conformance", "A5")]
    public async Task Unreadable_hash_affects_no_other_account()
    {
        var passwords = backend.Server.Services.GetRequiredService<Passwords>();
        await Assert.ThrowsAsync<FormatException>(() =>
            passwords.VerifyAsync("no hash", "a password of enough length")
        );
        Assert.Equal(
            PasswordCheck.Right,
            await passwords.VerifyAsync(
                await passwords.HashAsync("a password of enough length"),
                "a password of enough length"
            )
        );
    }

    [Fact]
    [Trait("Conformance", "A7")]
    public async Task Unknown_address_takes_as_long_as_a_known_one()
    {
        var tries = int.TryParse(
            Environment.GetEnvironmentVariable("RESOURCES_LOGINS"),
            CultureInfo.InvariantCulture,
            out var given
        )
            ? given
            : 24;
        var known = new List<double>();
        var unknown = new List<double>();
        for (var i = 0; i < tries; i++)
        {
            known.Add(await MeasureAsync("user@example.org"));
            unknown.Add(await MeasureAsync($"nobody{i}@example.org"));
        }
        var one = known.Order().ElementAt(tries / 2);
        var other = unknown.Order().ElementAt(tries / 2);
        TestContext.Current.SendDiagnosticMessage($"{tries} tries each: known {one:F1} ms, unknown {other:F1} ms");
        // The hash alone takes many times what all else does; the test shares its machine with others.
        Assert.True(Math.Abs(one - other) < Math.Max(20, one * 0.25), $"known {one:F1} ms, unknown {other:F1} ms");

        async Task<double> MeasureAsync(string email)
        {
            var started = Stopwatch.GetTimestamp();
            Assert.Equal(
                401,
                (
                    await backend.Guest.SendAsync(
                        "POST",
                        "/api/v1/auth/login",
                        JsonSerializer.Serialize(new { email, password = "not the password at all" })
                    )
                ).Status
            );
            return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        }
    }
}

/// <summary>Limits on guessing (A8), on a node with few permits.</summary>
[Collection(MoreServers.Name)]
public sealed class GuessingTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "A8")]
    public async Task Ten_wrong_passwords_block_further_guesses_for_that_account_only()
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

/// <summary>Registering and resetting by mail (A6, A10), on a node with a mail server.</summary>
[Collection(MoreServers.Name)]
public sealed class RecoveryTests(Backend backend)
{
    const string Password = "nine pigs saw a grey kettle",
        Another = "a second pig saw the kettle";

    Task<InProcessServer> StartAsync(Mailbox mailbox, string registration) =>
        backend.StartServerAsync(
            ("Mail:Host", "127.0.0.1"),
            ("Mail:Port", $"{mailbox.Port}"),
            ("Mail:LinkBase", "https://app.example.org"),
            ("Accounts:Registration", registration)
        );

    static Task<Answer> PostAsync(ApiClient caller, string path, object body, params (string, string)[] headers) =>
        caller.SendAsync("POST", "/api/v1" + path, JsonSerializer.Serialize(body), "application/json", headers);

    [Fact]
    [Trait("Conformance", "A6")]
    public async Task Registration_does_not_reveal_accounts_and_sends_a_mail()
    {
        await using var mailbox = new Mailbox();
        await using var node = await StartAsync(mailbox, "open");
        var guest = node.Guest();
        var email = $"{Guid.NewGuid():n}@example.org";
        var first = await PostAsync(guest, "/auth/register", new { email, password = Password });
        Assert.Equal(202, first.Status);
        var mail = await mailbox.MailToAsync(email);
        Assert.Contains(
            "https://app.example.org/verify-email#token",
            mail.Replace("=\r\n", "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );

        var inactive = await PostAsync(guest, "/auth/login", new { email, password = Password });
        Assert.Equal((403, "ACCOUNT_INACTIVE"), (inactive.Status, inactive.Code));
        Assert.Equal(401, (await PostAsync(guest, "/auth/login", new { email, password = Another })).Status);
        Assert.Equal(
            "TOKEN_SPENT",
            (
                await PostAsync(guest, "/auth/set-password", new { token = Mailbox.Token(mail), newPassword = Another })
            ).Code
        );
        Assert.Equal(
            "INVALID_CREDENTIALS",
            (await PostAsync(guest, "/auth/verify-email", new { token = Mailbox.Token(mail), password = Another })).Code
        );
        Assert.Equal(
            204,
            (
                await PostAsync(guest, "/auth/verify-email", new { token = Mailbox.Token(mail), password = Password })
            ).Status
        );
        var session = await guest.LoginAsync(email, Password);
        Assert.Equal("[\"user\"]", (await session.GetAsync("/api/v1/me")).Text("/data/roles"));

        var again = await PostAsync(guest, "/auth/register", new { email, password = Another });
        Assert.Equal((202, first.Body.Length), (again.Status, again.Body.Length));
        Assert.DoesNotContain("token=", await mailbox.MailToAsync(email), StringComparison.Ordinal);
        await guest.LoginAsync(email, Password);
    }

    [Fact]
    public async Task Stalled_mail_server_times_out_and_is_retried()
    {
        await using var mailbox = new Mailbox(endless: 1);
        await using var node = await StartAsync(mailbox, "open");
        var email = $"{Guid.NewGuid():n}@example.org";
        Assert.Equal(202, (await PostAsync(node.Guest(), "/auth/register", new { email, password = Password })).Status);
        await mailbox.MailToAsync(email, seconds: 60);
    }

    [Fact]
    [Trait("Conformance", "A6")]
    public async Task Registering_the_address_of_another_person_grants_nothing()
    {
        await using var mailbox = new Mailbox();
        await using var node = await StartAsync(mailbox, "open");
        var guest = node.Guest();
        var email = $"{Guid.NewGuid():n}@example.org";
        Assert.Equal(202, (await PostAsync(guest, "/auth/register", new { email, password = Another })).Status);
        var first = Mailbox.Token(await mailbox.MailToAsync(email));
        // Its owner, who follows any of the links, has another password in mind.
        Assert.Equal(
            401,
            (await PostAsync(guest, "/auth/verify-email", new { token = first, password = Password })).Status
        );
        Assert.Equal(202, (await PostAsync(guest, "/auth/register", new { email, password = Password })).Status);
        var second = Mailbox.Token(await mailbox.MailToAsync(email));
        Assert.Equal(
            401,
            (await PostAsync(guest, "/auth/verify-email", new { token = second, password = Another })).Status
        );
        Assert.Equal(
            204,
            (await PostAsync(guest, "/auth/verify-email", new { token = second, password = Password })).Status
        );
        Assert.Equal(401, (await PostAsync(guest, "/auth/login", new { email, password = Another })).Status);
        await guest.LoginAsync(email, Password);
    }

    [Fact]
    [Trait("Conformance", "A10")]
    public async Task Password_link_is_single_use_ends_all_sessions_and_does_not_replace_the_second_factor()
    {
        await using var mailbox = new Mailbox();
        await using var node = await StartAsync(mailbox, "closed");
        var guest = node.Guest();
        Assert.Equal(
            (403, "REGISTRATION_CLOSED"),
            (await PostAsync(guest, "/auth/register", new { email = "x@example.org", password = Password }))
                is var closed
                ? (closed.Status, closed.Code)
                : default
        );
        var person = await Person.CreateAsync(await guest.LoginAsAdminAsync(), node.Address, "user");
        var session = await person.LoginAsync();

        var known = await PostAsync(
            guest,
            "/auth/forgot-password",
            new { email = person.Email },
            ("X-Forwarded-Host", "evil.example"),
            ("Host", "evil.example")
        );
        var unknown = await PostAsync(guest, "/auth/forgot-password", new { email = "nobody@example.org" });
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
                    await PostAsync(guest, "/auth/set-password", new { token, newPassword = "passwordpassword" })
                ).FaultCodes
            )
        );
        foreach (var wrong in new[] { token[..^1] + (token[^1] is 'A' ? 'B' : 'A'), token + "A", "x" })
            Assert.Equal(
                "TOKEN_SPENT",
                (await PostAsync(guest, "/auth/set-password", new { token = wrong, newPassword = Another })).Code
            );
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 4)
                .Select(_ => PostAsync(guest, "/auth/set-password", new { token, newPassword = Another }))
        );
        Assert.Single(answers, answer => answer.Status is 204);
        Assert.Equal(3, answers.Count(answer => answer.Code is "TOKEN_SPENT"));

        await Eventually.HoldsAsync(async () => (await session.Caller.GetAsync("/api/v1/me")).Status is 401);
        Assert.Equal(401, (await person.RefreshAsync(session.RefreshToken)).Status);
        Assert.Equal(401, (await person.TryAsync()).Status);
        Assert.Equal("true", (await person.TryAsync(Another)).Text("/data/mfaRequired"));
        Assert.Equal(0, mailbox.Count);
    }

    [Fact]
    public async Task Invitation_lets_its_recipient_set_the_first_password()
    {
        await using var mailbox = new Mailbox();
        await using var node = await StartAsync(mailbox, "invite");
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();
        Assert.Equal(
            201,
            (await PostAsync(admin, "/users", new { email = "invited@example.org", roles = new[] { "author" } })).Status
        );
        Assert.Equal(
            401,
            (await PostAsync(guest, "/auth/login", new { email = "invited@example.org", password = Password })).Status
        );
        Assert.Equal(
            204,
            (
                await PostAsync(
                    guest,
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

    [Fact]
    public async Task Deleted_account_is_erased_and_its_address_can_be_reused()
    {
        var person = await Person.CreateAsync(backend.Admin, backend.Server.Address, "user");
        await person.LoginAsync();
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/users/{person.Id}")).Status);
        Assert.Equal("ACCOUNT_NOT_FOUND", (await backend.Admin.GetAsync($"/api/v1/users/{person.Id}")).Code);
        Assert.Equal(401, (await person.TryAsync()).Status);
        await using var source = NpgsqlDataSource.Create(backend.Server.ConnectionString);
        await using var command = source.CreateCommand(
            "select (select count(*) from vault where subject = $1) + (select count(*) from account_emails where account = $1)"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
        Assert.Equal(0L, await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        Assert.Equal(201, (await backend.AddUserAsync(person.Email, Password, "user")).Status);
        await backend.Guest.LoginAsync(person.Email, Password);
    }

    [Fact]
    public async Task Interrupted_deletion_is_completed_by_the_next_deletion_or_registration()
    {
        var deletedAgain = await Person.CreateAsync(backend.Admin, backend.Server.Address, "user");
        var registered = await Person.CreateAsync(backend.Admin, backend.Server.Address, "user");
        await using var source = NpgsqlDataSource.Create(backend.Server.ConnectionString);
        async Task<byte[]> TakeAwayAsync(Person person)
        {
            await using var command = source.CreateCommand("select digest from account_emails where account = $1");
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
            var digest = (byte[])(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
            Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/users/{person.Id}")).Status);
            await using var claim = source.CreateCommand(
                "insert into account_emails (digest, account) values ($1, $2)"
            );
            claim.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = digest });
            claim.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
            await claim.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            return digest;
        }

        var digest = await TakeAwayAsync(deletedAgain);
        Assert.Equal(
            "ACCOUNT_NOT_FOUND",
            (await backend.Admin.SendAsync("DELETE", $"/api/v1/users/{deletedAgain.Id}")).Code
        );
        await using var kept = source.CreateCommand("select count(*) from account_emails where digest = $1");
        kept.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = digest });
        Assert.Equal(0L, await kept.ExecuteScalarAsync(TestContext.Current.CancellationToken));

        await TakeAwayAsync(registered);
        Assert.Equal(201, (await backend.AddUserAsync(registered.Email, Password, "user")).Status);
        await backend.Guest.LoginAsync(registered.Email, Password);
    }
}
