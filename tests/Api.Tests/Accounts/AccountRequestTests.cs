namespace Resources.Api.Tests;

/// <summary>Requests for login, the current caller and accounts, from each kind of caller.</summary>
public sealed class AccountRequestTests(Backend backend)
{
    static string Fresh => $"{Guid.NewGuid():n}@example.org";

    public static TheoryData<Scenario> Rows =>
        [
            .. Shared,
            .. Shared.Select(row => row.Refused(Who.Guest)),
            .. Shared.Select(row => row with { Name = row.Name + ", user", As = Who.User }),
            .. AdminOnly,
            .. AdminOnly.Select(row => row.Refused(Who.Guest)),
            .. AdminOnly.Select(row => row.Refused(Who.User)),
            .. Others,
        ];

    static Scenario[] Shared => [new("me", "GET", "/api/v1/me", 200), new("me, head", "HEAD", "/api/v1/me", 200)];

    static Scenario[] AdminOnly =>
        [
            new("list users", "GET", "/api/v1/users?limit=1", 200)
            {
                Has =
                [
                    ("/data/1", null),
                    ("/meta/page/limit", "1"),
                    ("/data/0/passwordHash", null),
                    ("/data/0/password", null),
                ],
            },
            new("create a user", "POST", "/api/v1/users", 201)
            {
                Body = $$"""{"email":"{{Fresh}}","password":"fifteen letters"}""",
                Has = [("/data/roles/0", "user"), ("/data/password", null), ("/data/passwordHash", null)],
            },
            new("create an admin", "POST", "/api/v1/users", 201)
            {
                Body = $$"""{"email":"{{Fresh}}","password":"fifteen letters","roles":["admin","user"]}""",
                Has = [("/data/roles/0", "admin")],
            },
        ];

    static Scenario[] Others =>
        [
            new("log in", "POST", "/api/v1/auth/login", 200)
            {
                As = Who.Guest,
                Body = $$"""{"email":"{{TestServer.AdminEmail}}","password":"{{TestServer.AdminPassword}}"}""",
                Answers = [("Cache-Control", "no-store")],
                Has = [("/data/tokenType", "Bearer"), ("/data/expiresIn", "3600")],
            },
            new("log in, address in capitals", "POST", "/api/v1/auth/login", 200)
            {
                As = Who.Guest,
                Body =
                    $$"""{"email":" {{TestServer.AdminEmail.ToUpperInvariant()}} ","password":"{{TestServer.AdminPassword}}"}""",
            },
            new("log in with another password", "POST", "/api/v1/auth/login", 401)
            {
                As = Who.Guest,
                Body = $$"""{"email":"{{TestServer.AdminEmail}}","password":"not the password"}""",
                Code = "INVALID_CREDENTIALS",
            },
            new("log in as nobody", "POST", "/api/v1/auth/login", 401)
            {
                As = Who.Guest,
                Body = """{"email":"nobody@example.org","password":"not the password"}""",
                Code = "INVALID_CREDENTIALS",
            },
            new("log in without anything", "POST", "/api/v1/auth/login", 400)
            {
                As = Who.Guest,
                Body = "{}",
                Code = "VALIDATION_FAILED",
                Faults = ["/email", "/password"],
            },
            new("log in with more than asked", "POST", "/api/v1/auth/login", 400)
            {
                As = Who.Guest,
                Body = """{"email":"a@b","password":"p","admin":true}""",
                Code = "VALIDATION_FAILED",
                Faults = ["/admin"],
            },
            new("log in with a form", "POST", "/api/v1/auth/login", 415)
            {
                As = Who.Guest,
                ContentType = "application/x-www-form-urlencoded",
                Body = "email=a",
                Code = "UNSUPPORTED_MEDIA_TYPE",
                Answers = [("Accept-Post", "application/json")],
            },
            new("log in by get", "GET", "/api/v1/auth/login", 405) { As = Who.Guest, Code = "METHOD_NOT_ALLOWED" },
            new("create a user with a short password", "POST", "/api/v1/users", 400)
            {
                Body = $$"""{"email":"{{Fresh}}","password":"fourteen chars"}""",
                Code = "VALIDATION_FAILED",
                Faults = ["/password"],
            },
            new("create a user with every fault", "POST", "/api/v1/users", 400)
            {
                Body = """{"email":"no address","password":"short","roles":["king"],"id":1}""",
                Code = "VALIDATION_FAILED",
                Faults = ["/password", "/id", "/email", "/roles/0"],
            },
            new("create a user twice", "POST", "/api/v1/users", 409)
            {
                Body = $$"""{"email":"{{TestServer.AdminEmail}}","password":"fifteen letters"}""",
                Code = "ALREADY_EXISTS",
            },
            new("give nobody roles", "PUT", $"/api/v1/users/{Guid.NewGuid()}/roles", 404)
            {
                Body = """{"roles":["user"]}""",
                Code = "ACCOUNT_NOT_FOUND",
            },
            new("give roles that there are not", "PUT", $"/api/v1/users/{Guid.NewGuid()}/roles", 400)
            {
                Body = """{"roles":["user","king"],"id":1}""",
                Code = "VALIDATION_FAILED",
                Faults = ["/id", "/roles/1"],
            },
            new("give roles as a user", "PUT", $"/api/v1/users/{Guid.NewGuid()}/roles", 403)
            {
                As = Who.User,
                Body = """{"roles":["admin"]}""",
                Code = "FORBIDDEN",
            },
            new("give roles as a guest", "PUT", $"/api/v1/users/{Guid.NewGuid()}/roles", 401)
            {
                As = Who.Guest,
                Body = """{"roles":["admin"]}""",
                Code = "UNAUTHENTICATED",
            },
            new("list users with a bad cursor", "GET", "/api/v1/users?cursor=x&limit=-1", 400)
            {
                Code = "VALIDATION_FAILED",
                Faults = ["?limit", "?cursor"],
            },
        ];

    [Theory, MemberData(nameof(Rows), DisableDiscoveryEnumeration = true)]
    public Task Request_gets_the_expected_response(Scenario row) => row.RunAsync(backend);

    [Fact]
    [Trait("Conformance", "A6")]
    public async Task Wrong_password_and_unknown_address_get_equal_responses()
    {
        var wrong = await backend.Guest.SendAsync(
            "POST",
            "/api/v1/auth/login",
            $$"""{"email":"{{TestServer.AdminEmail}}","password":"not the password"}"""
        );
        var unknown = await backend.Guest.SendAsync(
            "POST",
            "/api/v1/auth/login",
            """{"email":"nobody@example.org","password":"not the password"}"""
        );

        foreach (var pointer in new[] { "/type", "/title", "/status", "/detail", "/instance", "/code", "/errors" })
            Assert.Equal(wrong.Text(pointer), unknown.Text(pointer));
        Assert.Equal(wrong["WWW-Authenticate"], unknown["WWW-Authenticate"]);
    }

    [Fact]
    public async Task Me_returns_the_caller()
    {
        var me = await backend.User.GetAsync("/api/v1/me");
        Assert.Equal(("user@example.org", """["user"]"""), (me.Text("/data/email"), me.Text("/data/roles")));
    }

    [Fact]
    public async Task Pages_of_users_contain_every_user_once()
    {
        for (var i = 0; i < 3; i++)
            await backend.AddUserAsync(Fresh, "fifteen letters", "user");
        var seen = new List<string>();
        for (string? next = ""; next is not null; )
        {
            var page = await backend.Admin.GetAsync($"/api/v1/users?limit=2{(next is "" ? "" : "&cursor=" + next)}");
            seen.AddRange(page.At("/data")!.Value.EnumerateArray().Select(user => user.GetProperty("id").GetString()!));
            next = page.At("/meta/page/next")!.Value.GetString();
        }
        Assert.True(seen.Count >= 5);
        Assert.Equal(seen.Distinct(), seen);
    }
}
