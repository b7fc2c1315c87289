using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Resources.Grains;

namespace Resources.Api.Tests;

/// <summary>Roles, permissions, API keys, the audit (B17, C6, J3).</summary>
[Collection(MoreNodes.Name)]
public sealed class AccessTests(Backend backend)
{
    Task<Person> PersonAsync(params string[] roles) => Person.CreateAsync(backend.Admin, backend.Node.Address, roles);

    async Task<string> RoleAsync(params string[] permissions)
    {
        var name = $"r{Guid.NewGuid():n}";
        var made = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/roles",
            JsonSerializer.Serialize(new { name, permissions })
        );
        Assert.True(made.Status is 201, $"{made}");
        return name;
    }

    async Task<string> KeyAsync(Caller caller, string[] permissions, DateTimeOffset? expiresAt = null)
    {
        var made = await caller.SendAsync(
            "POST",
            "/api/v1/api-keys",
            JsonSerializer.Serialize(
                new
                {
                    name = "test",
                    permissions,
                    expiresAt,
                }
            )
        );
        Assert.True(made.Status is 201, $"{made}");
        return made.Text("/data/key")!;
    }

    [Fact]
    public async Task B17_An_API_key_does_what_it_may_and_no_more()
    {
        var person = await PersonAsync("author");
        var session = await person.LoginAsync();
        var key = await KeyAsync(session.Caller, ["resource:read:own", "resource:create"]);
        var program = person.Guest.With(key);
        var made = await program.SendAsync("POST", "/api/v1/resources", """{"name":"by a key"}""");
        Assert.Equal((201, person.Id.ToString()), (made.Status, made.Text("/data/owner")));
        Assert.Equal(200, (await program.GetAsync($"/api/v1/resources/{made.Text("/data/id")}")).Status);
        Assert.Equal(403, (await program.SendAsync("DELETE", $"/api/v1/resources/{made.Text("/data/id")}")).Status);
        Assert.Equal("apiKey", (await program.GetAsync("/api/v1/me")).Text("/data/credential"));
        foreach (
            var (method, path, body) in new (string, string, string?)[]
            {
                ("POST", "/api/v1/api-keys", """{"name":"k","permissions":["resource:create"]}"""),
                ("GET", "/api/v1/api-keys", null),
                ("GET", "/api/v1/sessions", null),
                ("POST", "/api/v1/auth/logout", null),
                ("POST", "/api/v1/auth/password", """{"currentPassword":"x","newPassword":"fifteen letters"}"""),
                ("POST", "/api/v1/me/mfa/totp", null),
                ("POST", "/api/v1/me/passkeys/options", null),
                ("POST", "/api/v1/auth/step-up", """{"method":"password","code":"x"}"""),
            }
        )
            Assert.Equal((path, "SESSION_REQUIRED"), (path, (await program.SendAsync(method, path, body)).Code));
    }

    [Fact]
    public async Task B17_A_key_may_allow_no_more_than_its_maker_may_and_loses_what_its_account_loses()
    {
        var person = await PersonAsync("user");
        var session = await person.LoginAsync();
        Assert.Equal(
            "ABOVE_OWN_RIGHTS",
            (
                await session.Caller.SendAsync(
                    "POST",
                    "/api/v1/api-keys",
                    """{"name":"k","permissions":["resource:delete"]}"""
                )
            ).Code
        );
        var program = person.Guest.With(await KeyAsync(session.Caller, ["resource:read"]));
        Assert.Equal(200, (await program.GetAsync("/api/v1/resources")).Status);
        Assert.Equal(
            200,
            (await backend.Admin.SendAsync("PUT", $"/api/v1/users/{person.Id}/roles", """{"roles":[]}""")).Status
        );
        await Eventually.HoldsAsync(async () => (await program.GetAsync("/api/v1/resources")).Status is 403);
        await Eventually.HoldsAsync(async () => (await session.Caller.GetAsync("/api/v1/resources")).Status is 403);
        Assert.Equal(
            200,
            (await backend.Admin.SendAsync("PATCH", $"/api/v1/users/{person.Id}", """{"disabled":true}""")).Status
        );
        await Eventually.HoldsAsync(async () => (await program.GetAsync("/api/v1/me")).Status is 401);
    }

    [Fact]
    public async Task B17_A_key_is_shown_once_kept_as_a_hash_and_ends_when_it_is_revoked_or_expires()
    {
        var person = await PersonAsync("user");
        var session = await person.LoginAsync();
        var key = await KeyAsync(session.Caller, ["resource:read"]);
        var program = person.Guest.With(key);
        Assert.Equal(200, (await program.GetAsync("/api/v1/resources")).Status);
        await Eventually.HoldsAsync(async () =>
            (await session.Caller.GetAsync("/api/v1/api-keys")).At("/data/0/usedAt")?.ValueKind is JsonValueKind.String
        );
        var list = await session.Caller.GetAsync("/api/v1/api-keys");
        Assert.Equal(key[..36], list.Text("/data/0/prefix"));
        Assert.DoesNotContain(key[37..], list.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            key[37..101],
            await Dump.OfAsync(backend.Node.ConnectionString),
            StringComparison.Ordinal
        );
        foreach (
            var wrong in new[]
            {
                key[..^1] + (key[^1] is '0' ? '1' : '0'),
                key[..40] + (key[40] is '0' ? '1' : '0') + key[41..],
                key + "0",
                key.ToUpperInvariant(),
                "rsk_",
            }
        )
            Assert.Equal(401, (await person.Guest.With(wrong).GetAsync("/api/v1/resources")).Status);

        var stranger = await (await PersonAsync("user")).LoginAsync();
        Assert.Equal(
            "API_KEY_NOT_FOUND",
            (await stranger.Caller.SendAsync("DELETE", $"/api/v1/api-keys/{list.Text("/data/0/id")}")).Code
        );
        await using var stream = await Subscriber.OpenAsync(backend.Node.Address, key, "/api/v1/events?after=now");
        Assert.Equal(
            204,
            (await session.Caller.SendAsync("DELETE", $"/api/v1/api-keys/{list.Text("/data/0/id")}")).Status
        );
        await stream.ToEndAsync();
        await Eventually.HoldsAsync(async () => (await program.GetAsync("/api/v1/resources")).Status is 401);

        var brief = person.Guest.With(
            await KeyAsync(session.Caller, ["resource:read"], DateTimeOffset.UtcNow.AddSeconds(2))
        );
        Assert.Equal(200, (await brief.GetAsync("/api/v1/resources")).Status);
        await Eventually.HoldsAsync(async () => (await brief.GetAsync("/api/v1/resources")).Status is 401);
        Assert.Equal(
            ["/permissions/0", "/expiresAt"],
            (
                await session.Caller.SendAsync(
                    "POST",
                    "/api/v1/api-keys",
                    """{"name":"k","permissions":["resource:fly"],"expiresAt":"2020-01-01T00:00:00Z"}"""
                )
            ).Faults
        );
    }

    [Fact]
    public async Task C6_Nobody_grants_or_manages_what_is_above_their_own_rights()
    {
        var clerk = await RoleAsync(
            "user:read",
            "user:create",
            "user:update",
            "user:delete",
            "role:read",
            "role:manage",
            "session:manage",
            "resource/bicycle:read"
        );
        var person = await PersonAsync(clerk);
        var admin = await PersonAsync("admin");
        var caller = (await person.LoginAsync()).Caller;
        var theirs = await admin.LoginAsync();
        foreach (
            var (method, path, body) in new (string, string, string?)[]
            {
                (
                    "POST",
                    "/api/v1/users",
                    """{"email":"x@example.org","password":"fifteen letters","roles":["admin"]}"""
                ),
                (
                    "POST",
                    "/api/v1/users",
                    """{"email":"x@example.org","password":"fifteen letters","roles":["user"]}"""
                ),
                ("PUT", $"/api/v1/users/{person.Id}/roles", """{"roles":["admin"]}"""),
                ("PUT", $"/api/v1/users/{admin.Id}/roles", """{"roles":[]}"""),
                ("PATCH", $"/api/v1/users/{admin.Id}", """{"disabled":true}"""),
                ("DELETE", $"/api/v1/users/{admin.Id}", null),
                ("POST", "/api/v1/roles", """{"name":"king","permissions":["*"]}"""),
                ("POST", "/api/v1/roles", """{"name":"cyclist","permissions":["resource:read"]}"""),
            }
        )
        {
            var refused = await caller.SendAsync(method, path, body);
            Assert.True(refused is { Status: 403, Code: "ABOVE_OWN_RIGHTS" }, $"{method} {path} {body}: {refused}");
        }
        Assert.Equal(200, (await theirs.Caller.GetAsync("/api/v1/me")).Status);
        var name = $"r{Guid.NewGuid():n}";
        Assert.Equal(
            201,
            (
                await caller.SendAsync(
                    "POST",
                    "/api/v1/roles",
                    $$"""{"name":"{{name}}","permissions":["resource/bicycle:read:own"]}"""
                )
            ).Status
        );
        Assert.Equal(
            201,
            (
                await caller.SendAsync(
                    "POST",
                    "/api/v1/users",
                    $$"""{"email":"{{Guid.NewGuid():n}}@example.org","password":"fifteen letters","roles":["{{name}}"]}"""
                )
            ).Status
        );
        Assert.Equal(204, (await caller.SendAsync("DELETE", $"/api/v1/roles/{name}")).Status);
    }

    [Fact]
    public async Task C6_The_last_administrator_stays()
    {
        await using var node = await backend.StartNodeAsync();
        var admin = await new Caller(node.Address).LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
        var id = (await admin.GetAsync("/api/v1/me")).Text("/data/id");
        foreach (
            var (method, path, body) in new (string, string, string?)[]
            {
                ("PUT", $"/api/v1/users/{id}/roles", """{"roles":["user"]}"""),
                ("PATCH", $"/api/v1/users/{id}", """{"disabled":true}"""),
                ("DELETE", $"/api/v1/users/{id}", null),
            }
        )
            Assert.Equal(
                (409, "LAST_ADMINISTRATOR"),
                (await admin.SendAsync(method, path, body)) is var refused ? (refused.Status, refused.Code) : default
            );
        var second = await Person.CreateAsync(admin, node.Address, "admin");
        // Two who take it from each other at once: one stays.
        var others = await Task.WhenAll(
            admin.SendAsync("PUT", $"/api/v1/users/{id}/roles", """{"roles":[]}"""),
            admin.SendAsync("PUT", $"/api/v1/users/{second.Id}/roles", """{"roles":[]}""")
        );
        Assert.Equal([200, 409], others.Select(answer => answer.Status).Order());
    }

    [Fact]
    public async Task C6_Who_is_counted_as_administrator_without_the_role_is_not_any_more_after_the_next_change()
    {
        var roles = backend.Node.Services.GetRequiredService<IClusterClient>().GetGrain<IRoleGrain>(RoleBook.Id);
        var person = await Person.CreateAsync(backend.Admin, backend.Node.Address, "user");
        await roles.Execute(new AddAdministrator(person.Id), Intent.OfNode());
        Assert.Contains(person.Id, (await roles.Get()).Value!.Administrators);
        Assert.Equal(
            200,
            (
                await backend.Admin.SendAsync("PUT", $"/api/v1/users/{person.Id}/roles", """{"roles":["author"]}""")
            ).Status
        );
        Assert.DoesNotContain(person.Id, (await roles.Get()).Value!.Administrators);
    }

    [Fact]
    public async Task C6_A_role_that_changes_counts_for_tokens_that_were_issued_before()
    {
        var role = await RoleAsync("resource/bicycle:read");
        var person = await PersonAsync(role);
        var caller = (await person.LoginAsync()).Caller;
        Assert.Equal(
            403,
            (await caller.SendAsync("POST", "/api/v1/resources", """{"name":"x","type":"bicycle"}""")).Status
        );
        Assert.Equal(
            200,
            (
                await backend.Admin.SendAsync(
                    "PUT",
                    $"/api/v1/roles/{role}",
                    """{"permissions":["resource/bicycle:create"]}"""
                )
            ).Status
        );
        await Eventually.HoldsAsync(async () =>
            (await caller.SendAsync("POST", "/api/v1/resources", """{"name":"x","type":"bicycle"}""")).Status is 201
        );
        Assert.Equal(
            403,
            (await caller.SendAsync("POST", "/api/v1/resources", """{"name":"x","type":"car"}""")).Status
        );
        Assert.Equal(403, (await caller.GetAsync("/api/v1/resources")).Status);
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/roles/{role}")).Status);
        await Eventually.HoldsAsync(async () =>
            (await caller.SendAsync("POST", "/api/v1/resources", """{"name":"x","type":"bicycle"}""")).Status is 403
        );
    }

    [Fact]
    public async Task A_role_narrowed_to_a_type_sees_that_type_everywhere_and_nothing_else()
    {
        var seen = $"t{Guid.NewGuid():n}";
        var other = $"t{Guid.NewGuid():n}";
        var person = await PersonAsync(
            await RoleAsync(
                $"resource/{seen}:read",
                $"resource/{seen}:update",
                "resource:create",
                $"resource/{other}:read:own"
            )
        );
        var caller = (await person.LoginAsync()).Caller;
        async Task<string> MakeAsync(Caller by, string type) =>
            (await by.SendAsync("POST", "/api/v1/resources", $$"""{"name":"x","type":"{{type}}"}""")).Text("/data/id")!;
        var one = await MakeAsync(backend.Admin, seen);
        var hidden = await MakeAsync(backend.Admin, other);
        var own = await MakeAsync(caller, other);

        Assert.Equal(
            (200, 404, 200),
            (
                (await caller.GetAsync($"/api/v1/resources/{one}")).Status,
                (await caller.GetAsync($"/api/v1/resources/{hidden}")).Status,
                (await caller.GetAsync($"/api/v1/resources/{own}")).Status
            )
        );
        Assert.Equal(404, (await caller.GetAsync($"/api/v1/resources/{hidden}", ("If-None-Match", "\"1\""))).Status);
        Assert.Equal(404, (await caller.GetAsync($"/api/v1/resources/{hidden}/events")).Status);
        Assert.Equal(
            (200, 404, 404),
            ((await PatchAsync(one)).Status, (await PatchAsync(hidden)).Status, (await PatchAsync(own)).Status)
        );
        // The name of the first is "y" now.
        foreach (
            var (query, expected) in new (string, string[])[]
            {
                ("", [own, one]),
                ("?filter=name%20%3D%20x", [own]),
                ("?q=y", [one]),
                ($"?type={seen}", [one]),
                ($"?type={other}", [own]),
            }
        )
        {
            var list = await caller.GetAsync($"/api/v1/resources{query}{(query is "" ? '?' : '&')}count=exact");
            Assert.Equal(
                expected,
                list.At("/data")!.Value.EnumerateArray().Select(each => each.GetProperty("id").GetString()!)
            );
            Assert.Equal($"{expected.Length}", list.Text("/meta/count"));
        }
        Assert.Equal("2", (await caller.GetAsync("/api/v1/statistics")).Text("/data/total"));
        var events = await caller.GetAsync("/api/v1/events?limit=1000");
        Assert.Equal(
            [one, own, one],
            events.At("/data")!.Value.EnumerateArray().Select(each => each.GetProperty("subject").GetString()!)
        );
        await using var stream = await Subscriber.OpenAsync(
            backend.Node.Address,
            caller.Token!,
            "/api/v1/events?after=0"
        );
        Assert.Equal(3, (await stream.CatchUpAsync()).Count);
        await MakeAsync(backend.Admin, other);
        var next = await MakeAsync(backend.Admin, seen);
        Assert.Equal(next, Subscriber.Subject(await stream.EventAsync()).ToString());

        Task<Answer> PatchAsync(string id) =>
            caller.SendAsync("PATCH", $"/api/v1/resources/{id}", """{"name":"y"}""", "application/merge-patch+json");
    }

    [Fact]
    public async Task Access_is_explained()
    {
        var role = await RoleAsync("resource/bicycle:update:own", "resource:read");
        var person = await PersonAsync(role);
        var caller = (await person.LoginAsync()).Caller;
        var sample = await backend.CreateAsync();
        var no = await ExplainAsync("resource:delete", null);
        Assert.Equal(
            ("false", $"None of them allows resource:delete."),
            (no.Text("/data/allowed"), no.Text("/data/because/1"))
        );
        Assert.Equal(
            ("true", role, "resource/bicycle:update:own"),
            (await ExplainAsync("resource:update", null)) is var yes
                ? (
                    yes.Text("/data/allowed"),
                    yes.Text("/data/grantedBy/0/role"),
                    yes.Text("/data/grantedBy/0/permission")
                )
                : default
        );
        Assert.Equal(
            ("false", "The resource is another's, or of another type than is allowed."),
            (await ExplainAsync("resource:update", sample.Id)) is var others
                ? (others.Text("/data/allowed"), others.Text("/data/because/2"))
                : default
        );
        Assert.Equal(
            "There is no such resource for the caller.",
            (await ExplainAsync("resource:update", Guid.NewGuid())).Text("/data/because/2")
        );
        Assert.Equal(
            ["/permission", "/resourceId"],
            (
                await caller.SendAsync(
                    "POST",
                    "/api/v1/access/explain",
                    """{"permission":"resource:fly","resourceId":"x"}"""
                )
            ).Faults
        );

        Task<Answer> ExplainAsync(string permission, Guid? resourceId) =>
            caller.SendAsync(
                "POST",
                "/api/v1/access/explain",
                resourceId is null
                    ? $$"""{"permission":"{{permission}}"}"""
                    : $$"""{"permission":"{{permission}}","resourceId":"{{resourceId}}"}"""
            );
    }

    [Fact]
    public async Task J3_The_audit_says_who_did_what_from_where_and_by_which_session()
    {
        var person = await PersonAsync("author");
        Assert.Equal(401, (await person.TryAsync("not the password at all")).Status);
        await Eventually.HoldsAsync(async () =>
            (await backend.EventsAsync(person.Id)).Contains("account.login_failed")
        );
        var caller = (await person.LoginAsync()).Caller;
        var session = (await caller.GetAsync("/api/v1/me")).Text("/data/session");
        var made = await caller.SendAsync("POST", "/api/v1/resources", """{"name":"audited"}""");
        var audit = await backend.Admin.GetAsync($"/api/v1/audit?actor={person.Id}");
        Assert.Equal(
            ["resource.created", "session.started", "account.login_failed"],
            audit.At("/data")!.Value.EnumerateArray().Select(entry => entry.GetProperty("type").GetString())
        );
        Assert.Equal(
            (made.Text("/data/id"), session, "127.0.0.1"),
            (
                audit.Text("/data/0/subject"),
                audit.Text("/data/0/session"),
                audit.Text("/data/0/address")?.Replace("::ffff:", "", StringComparison.Ordinal)
            )
        );
        Assert.Equal(session, audit.Text("/data/1/session"));
        Assert.Equal("password", audit.Text("/data/2/data/factor"));

        Assert.Equal(
            2,
            (await backend.Admin.GetAsync($"/api/v1/audit?session={session}")).At("/data")!.Value.GetArrayLength()
        );
        Assert.Equal(
            "account.registered",
            (await backend.Admin.GetAsync($"/api/v1/audit?subject={person.Id}&event=account.*&limit=10"))
                .At("/data")!
                .Value.EnumerateArray()
                .Last()
                .GetProperty("type")
                .GetString()
        );
        var page = await backend.Admin.GetAsync($"/api/v1/audit?actor={person.Id}&limit=1");
        Assert.Equal(
            "session.started",
            (
                await backend.Admin.GetAsync(
                    $"/api/v1/audit?actor={person.Id}&limit=1&cursor={page.Text("/meta/page/next")}"
                )
            ).Text("/data/0/type")
        );
        Assert.Equal(403, (await caller.GetAsync("/api/v1/audit")).Status);
        Assert.Equal(
            ["?cursor", "?event", "?subject", "?session", "?since"],
            (
                await backend.Admin.GetAsync("/api/v1/audit?cursor=x&event=king.*&subject=1&session=2&since=yesterday")
            ).Faults
        );
    }
}
