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
    public async Task A1_A2_Length_counts_and_composition_does_not(string password, int status) =>
        Assert.Equal(status, (await CreateAsync(password)).Status);

    [Theory, InlineData(64, 201), InlineData(128, 201), InlineData(129, 400)]
    public async Task A1_Long_passwords_are_taken_whole_or_not_at_all(int length, int status)
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
    public async Task A3_What_everybody_tries_first_is_refused(string password)
    {
        var refused = await CreateAsync(password);
        Assert.Equal(
            (400, "/password", "PASSWORD_BLOCKED"),
            (refused.Status, Assert.Single(refused.Faults), Assert.Single(refused.FaultCodes))
        );
    }

    [Fact]
    public async Task A3_Ones_own_address_is_no_password()
    {
        var email = $"longlocalpart{Guid.NewGuid():n}@example.org";
        Assert.Equal("PASSWORD_BLOCKED", Assert.Single((await CreateAsync(email, email)).FaultCodes));
        Assert.Equal(
            "PASSWORD_BLOCKED",
            Assert.Single((await CreateAsync(email.Split('@')[0] + "123", email)).FaultCodes)
        );
    }

    [Fact]
    public async Task A4_A_password_is_compared_as_it_was_sent_but_for_its_composition()
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
    public async Task A5_Passwords_are_hashed_slowly_and_old_hashes_anew()
    {
        var passwords = backend.Node.Services.GetRequiredService<Passwords>();
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
            .Node.Services.GetRequiredService<Silo.Accounts>()
            .RegisterAsync(new(email, old, ["user"], true), Grains.Intent.OfNode());
        for (var i = 0; i < 2; i++)
            await backend.Guest.LoginAsync(email, "a password of enough length");
        Assert.Equal(["account.registered", "account.password_changed"], await backend.EventsAsync(id));
    }

    [Fact]
    public async Task A5_A_hash_that_cannot_be_read_harms_nobody_else()
    {
        var passwords = backend.Node.Services.GetRequiredService<Passwords>();
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
    public async Task A7_An_unknown_address_costs_as_much_time_as_a_known_one()
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
[Collection(MoreNodes.Name)]
public sealed class GuessingTests(Backend backend)
{
    [Fact]
    public async Task A8_After_ten_wrong_passwords_an_account_is_left_alone_for_a_while_and_others_are_not()
    {
        await using var node = await backend.StartNodeAsync(
            ("RateLimits:LoginAccount:Permits", "10"),
            ("RateLimits:LoginAccount:WindowSeconds", "3600")
        );
        var guest = new Caller(node.Address);
        var admin = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
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
[Collection(MoreNodes.Name)]
public sealed class RecoveryTests(Backend backend)
{
    const string Password = "nine pigs saw a grey kettle",
        Another = "a second pig saw the kettle";

    Task<ApiNode> StartAsync(Mailbox mailbox, string registration) =>
        backend.StartNodeAsync(
            ("Mail:Host", "127.0.0.1"),
            ("Mail:Port", $"{mailbox.Port}"),
            ("Mail:LinkBase", "https://app.example.org"),
            ("Accounts:Registration", registration)
        );

    static Task<Answer> PostAsync(Caller caller, string path, object body, params (string, string)[] headers) =>
        caller.SendAsync("POST", "/api/v1" + path, JsonSerializer.Serialize(body), "application/json", headers);

    [Fact]
    public async Task A6_Registering_tells_nobody_who_is_here_and_ends_in_a_mail()
    {
        await using var mailbox = new Mailbox();
        await using var node = await StartAsync(mailbox, "open");
        var guest = new Caller(node.Address);
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
    public async Task A_mail_server_that_never_comes_to_the_point_is_left_and_tried_again()
    {
        await using var mailbox = new Mailbox(endless: 1);
        await using var node = await StartAsync(mailbox, "open");
        var email = $"{Guid.NewGuid():n}@example.org";
        Assert.Equal(
            202,
            (await PostAsync(new Caller(node.Address), "/auth/register", new { email, password = Password })).Status
        );
        await mailbox.MailToAsync(email, seconds: 60);
    }

    [Fact]
    public async Task A6_Who_registers_the_address_of_somebody_else_first_gets_nothing()
    {
        await using var mailbox = new Mailbox();
        await using var node = await StartAsync(mailbox, "open");
        var guest = new Caller(node.Address);
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
    public async Task A10_A_link_sets_a_password_once_ends_all_sessions_and_does_not_stand_in_for_a_second_factor()
    {
        await using var mailbox = new Mailbox();
        await using var node = await StartAsync(mailbox, "closed");
        var guest = new Caller(node.Address);
        Assert.Equal(
            (403, "REGISTRATION_CLOSED"),
            (await PostAsync(guest, "/auth/register", new { email = "x@example.org", password = Password }))
                is var closed
                ? (closed.Status, closed.Code)
                : default
        );
        var person = await Person.CreateAsync(
            await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword),
            node.Address,
            "user"
        );
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
    public async Task An_invitation_lets_its_receiver_set_the_first_password()
    {
        await using var mailbox = new Mailbox();
        await using var node = await StartAsync(mailbox, "invite");
        var guest = new Caller(node.Address);
        var admin = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
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
    public async Task A_deleted_account_is_forgotten_and_its_address_is_free_again()
    {
        var person = await Person.CreateAsync(backend.Admin, backend.Node.Address, "user");
        await person.LoginAsync();
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/users/{person.Id}")).Status);
        Assert.Equal("ACCOUNT_NOT_FOUND", (await backend.Admin.GetAsync($"/api/v1/users/{person.Id}")).Code);
        Assert.Equal(401, (await person.TryAsync()).Status);
        await using var source = NpgsqlDataSource.Create(backend.Node.ConnectionString);
        await using var command = source.CreateCommand(
            "select (select count(*) from vault where subject = $1) + (select count(*) from account_emails where account = $1)"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
        Assert.Equal(0L, await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        Assert.Equal(201, (await backend.AddUserAsync(person.Email, Password, "user")).Status);
        await backend.Guest.LoginAsync(person.Email, Password);
    }

    [Fact]
    public async Task A_deletion_that_came_no_further_than_its_event_is_finished_by_the_next_one_or_by_who_registers()
    {
        var deletedAgain = await Person.CreateAsync(backend.Admin, backend.Node.Address, "user");
        var registered = await Person.CreateAsync(backend.Admin, backend.Node.Address, "user");
        await using var source = NpgsqlDataSource.Create(backend.Node.ConnectionString);
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
