using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;

namespace Resources.Api.Tests;

/// <summary>Limits on guessing passwords, on servers with few permits.</summary>
[Trait("Conformance", "A8")]
public sealed class PasswordGuessingTests(Backend backend)
{
    const string Wrong = "not the password at all";
    const string Another = "nine pigs saw a grey kettle";

    [Fact]
    public async Task Wrong_passwords_suspend_logins_of_that_account_only()
    {
        await using var node = await StartAsync(("LoginPair", 10));
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();
        var person = await Person.CreateAsync(admin, node.Address, "user");
        var other = await Person.CreateAsync(admin, node.Address, "user");
        // Right ones do not count.
        for (var i = 0; i < 12; i++)
            Assert.Equal(200, (await person.TryAsync()).Status);
        for (var i = 0; i < 10; i++)
            Assert.Equal(401, (await person.TryAsync(Wrong)).Status);
        foreach (var password in new[] { Wrong, Person.Password })
        {
            var refused = await person.TryAsync(password);
            Refused("login_pair", refused);
            Assert.NotNull(refused["Retry-After"]);
        }
        Assert.Equal(200, (await other.TryAsync()).Status);
        // An address that nobody has is treated alike.
        for (var i = 0; i < 10; i++)
            Assert.Equal(
                401,
                (await guest.PostAsync("/auth/login", new { email = "nobody@example.org", password = "x" })).Status
            );
        Refused(
            "login_pair",
            await guest.PostAsync("/auth/login", new { email = "Nobody@example.org", password = "x" })
        );
    }

    [Fact]
    public async Task Every_place_that_takes_a_password_counts_wrong_ones_and_notes_them()
    {
        await using var mailbox = new Mailbox();
        await using var node = await StartAsync(
            [.. mailbox.ServerOptions, ("Accounts:Registration", "open")],
            ("LoginAccount", 2)
        );
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();
        var places = new Dictionary<string, Func<Task<(string Email, Func<string, Task<Answer>> Try)>>>
        {
            ["login"] = async () =>
            {
                var person = await Person.CreateAsync(admin, node.Address, "user");
                return (person.Email, password => person.TryAsync(password));
            },
            ["change of the password"] = async () =>
            {
                var person = await Person.CreateAsync(admin, node.Address, "user");
                var (caller, _) = await person.LoginAsync();
                return (person.Email, password =>
                    caller.PostAsync("/auth/password", new { currentPassword = password, newPassword = Another })
                );
            },
            ["step-up"] = async () =>
            {
                var person = await Person.CreateAsync(admin, node.Address, "user");
                var (caller, _) = await person.LoginAsync();
                return (person.Email, password =>
                    caller.PostAsync("/auth/step-up", new { method = "password", code = password })
                );
            },
            ["verification of an address"] = async () =>
            {
                var email = $"{Guid.NewGuid():n}@example.org";
                await guest.PostAsync("/auth/register", new { email, password = Person.Password });
                var token = Mailbox.Token(await mailbox.MailToAsync(email));
                return (email, password => guest.PostAsync("/auth/verify-email", new { token, password }));
            },
        };
        foreach (var (name, begin) in places)
        {
            var (email, tryAsync) = await begin();
            for (var i = 0; i < 2; i++)
                Assert.Contains((await tryAsync(Wrong)).Status, new[] { 401, 403 });
            var refused = await tryAsync(Person.Password);
            Assert.True(refused.Status is 429, $"{name}: {refused}");
            Refused("login_account", refused);
            // They count for the account, wherever the next one is tried. A session's are no guest's.
            var login = await guest.PostAsync("/auth/login", new { email, password = Person.Password });
            if (name is "change of the password" or "step-up")
                Assert.Equal(200, login.Status);
            else
                Refused("login_account", login);
            var id = await node.Services.GetRequiredService<Silo.AccountDirectory>().FindAsync(email);
            await Eventually.HoldsAsync(
                async () =>
                    (await admin.GetAsync($"/api/v1/audit?event=account.login_failed&subject={id}"))
                        .At("/data")!
                        .Value.GetArrayLength()
                        is 2,
                state: () => $"{name}: both failures are in the audit"
            );
        }
    }

    [Fact]
    public async Task Guesses_elsewhere_keep_the_owner_out_neither_soon_nor_in_a_browser_used_before()
    {
        await using var node = await StartAsync(
            [("Proxies:Trusted:0", "127.0.0.1/32")],
            ("LoginPair", 3),
            ("LoginAccount", 6)
        );
        var admin = await node.Guest().LoginAsAdminAsync();
        var person = await Person.CreateAsync(admin, node.Address, "user");
        var stranger = await Person.CreateAsync(admin, node.Address, "user");
        var browser = await KnownAsync(person, From("203.0.113.1"));
        var second = await KnownAsync(person, From("203.0.113.2"));
        var others = await KnownAsync(stranger, From("192.0.2.200"));

        // Whoever guesses is slowed down with their neighbours, and nobody else is.
        for (var i = 1; i <= 3; i++)
            Assert.Equal(401, (await person.TryAsync(Wrong, headers: From($"192.0.2.{i}"))).Status);
        Refused("login_pair", await person.TryAsync(headers: From("192.0.2.9")));
        Assert.Equal(200, (await person.TryAsync(headers: From("198.51.100.1"))).Status);

        // Many neighbourhoods together use up the account's permits, but not those of its browsers.
        for (var i = 1; i <= 3; i++)
            Assert.Equal(401, (await person.TryAsync(Wrong, headers: From($"10.0.{i}.1"))).Status);
        Refused("login_account", await person.TryAsync(headers: From("198.51.100.1")));
        Refused("login_account", await person.TryAsync(headers: [From("198.51.100.1"), others]));
        Assert.Equal(200, (await person.TryAsync(headers: [From("192.0.2.9"), browser])).Status);

        // Each browser has a count of its own.
        for (var i = 0; i < 3; i++)
            Assert.Equal(401, (await person.TryAsync(Wrong, headers: [From("203.0.113.1"), browser])).Status);
        Refused("login_pair", await person.TryAsync(headers: [From("203.0.113.9"), browser]));
        Assert.Equal(200, (await person.TryAsync(headers: [From("203.0.113.1"), second])).Status);

        static (string, string) From(string address) => ("X-Forwarded-For", address);
    }

    [Fact]
    public async Task Owner_who_is_signed_in_changes_the_password_whatever_is_guessed_elsewhere()
    {
        await using var node = await StartAsync(("LoginPair", 2), ("LoginAccount", 3));
        var person = await Person.CreateAsync(await node.AdminAsync(), node.Address, "user");
        var sessions = new List<ApiClient>();
        for (var i = 0; i < 3; i++)
            sessions.Add((await person.LoginAsync()).Caller);
        for (var i = 0; i < 2; i++)
            Assert.Equal(401, (await person.TryAsync(Wrong)).Status);
        Refused("login_pair", await person.TryAsync());

        // A session has few guesses, and all of them together have not many more: one may be stolen.
        for (var i = 0; i < 2; i++)
            Assert.NotEqual(429, (await ChangeAsync(sessions[0], Wrong)).Status);
        Refused("login_pair", await ChangeAsync(sessions[0], Person.Password));
        Assert.Equal(200, (await StepUpAsync(sessions[1])).Status);
        Assert.NotEqual(429, (await ChangeAsync(sessions[1], Wrong)).Status);
        Refused("login_account", await ChangeAsync(sessions[2], Person.Password));

        static Task<Answer> ChangeAsync(ApiClient caller, string password) =>
            caller.PostAsync("/auth/password", new { currentPassword = password, newPassword = Another });
        static Task<Answer> StepUpAsync(ApiClient caller) =>
            caller.PostAsync("/auth/step-up", new { method = "password", code = Person.Password });
    }

    [Fact]
    public async Task Browser_stays_known_until_the_account_ends_its_sessions()
    {
        await using var node = await StartAsync(("LoginAccount", 2));
        var person = await Person.CreateAsync(await node.AdminAsync(), node.Address, "user");
        var browser = await KnownAsync(person);
        var first = await person.LoginAsync();
        for (var i = 0; i < 2; i++)
            Assert.Equal(401, (await person.TryAsync(Wrong)).Status);
        Refused("login_account", await person.TryAsync());

        // The same password with another hash.
        var account = node.Services.GetRequiredService<Silo.Accounts>().Grain(person.Id);
        var before = (await account.GetSecrets())!;
        var rehash = new ChangePassword(before.PasswordHash!, before.Account.Password, PasswordMeans.Rehash, null);
        Assert.Null((await account.Execute(rehash, Intent.OfNode())).Rejection);
        Assert.Equal(200, (await person.TryAsync(headers: browser)).Status);

        // Somebody else's browser, say; the one that ends the others is known again.
        var ended = await first.Caller.SendAsync("DELETE", "/api/v1/sessions", null, "application/json", browser);
        Refused("login_account", await person.TryAsync(headers: browser));
        browser = ("Cookie", ended.Cookie("__Host-device")!);
        Assert.Equal(200, (await person.TryAsync(headers: browser)).Status);

        var changed = await first.Caller.PostAsync(
            "/auth/password",
            new { currentPassword = Person.Password, newPassword = Another },
            browser
        );
        Assert.Equal(204, changed.Status);
        Refused("login_account", await person.TryAsync(Another, headers: browser));
        browser = ("Cookie", changed.Cookie("__Host-device")!);
        Assert.Equal(200, (await person.TryAsync(Another, headers: browser)).Status);
        var forged = browser.Item2[..^1] + (browser.Item2[^1] is 'A' ? 'E' : 'A');
        Refused("login_account", await person.TryAsync(Another, headers: ("Cookie", forged)));
    }

    /// <summary>Signs in. Returns the cookie by which the account knows the browser.</summary>
    static async Task<(string, string)> KnownAsync(Person person, params (string, string)[] headers)
    {
        var answer = await person.TryAsync(headers: headers);
        Assert.Equal(200, answer.Status);
        return ("Cookie", answer.Cookie("__Host-device")!);
    }

    static void Refused(string policy, Answer answer) =>
        Assert.Equal((429, policy), (answer.Status, answer.Text("/violated-policies/0")));

    Task<InProcessServer> StartAsync(params (string Policy, int Permits)[] limits) => StartAsync([], limits);

    /// <summary>A server with small limits for an hour.</summary>
    Task<InProcessServer> StartAsync((string, string)[] options, params (string Policy, int Permits)[] limits) =>
        backend.StartServerAsync([
            .. options,
            .. limits.SelectMany(limit =>
                new[]
                {
                    ($"RateLimits:{limit.Policy}:Permits", $"{limit.Permits}"),
                    ($"RateLimits:{limit.Policy}:WindowSeconds", "3600"),
                }
            ),
        ]);
}
