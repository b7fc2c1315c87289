using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Resources.Grains;

namespace Resources.Api.Tests;

/// <summary>Roles: who may grant them, and when a change takes effect.</summary>
public sealed class RoleTests(Backend backend)
{
    /// <summary>As after an update that brings a role whose name is taken.</summary>
    [Fact]
    [Trait("Conformance", "C6")]
    public async Task Custom_role_of_an_earlier_release_takes_no_name_of_a_built_in_one()
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        Assert.Equal(
            201,
            (await admin.PostAsync("/roles", new { name = "clerk", permissions = Array.Empty<string>() })).Status
        );
        var user = (await (await Person.CreateAsync(admin, node.Address, "user")).LoginAsync()).Caller;
        var clerk = (await (await Person.CreateAsync(admin, node.Address, "clerk")).LoginAsync()).Caller;
        Assert.Equal(403, (await clerk.GetAsync("/api/v1/users")).Status);

        var log = node.Services.GetRequiredService<EventLog>();
        var (version, _) = await log.HeadAsync(RoleBook.Id);
        Assert.NotNull(
            await log.AppendAsync(
                RoleBook.Id,
                version,
                [new RoleCreated("user", ["*"]), new RoleChanged("clerk", ["user:read"])],
                Intent.OfNode()
            )
        );

        // The node knows both then.
        await Eventually.HoldsAsync(async () => (await clerk.GetAsync("/api/v1/users")).Status is 200);
        Assert.Equal(403, (await user.GetAsync("/api/v1/users")).Status);
        Assert.Equal(200, (await user.GetAsync("/api/v1/resources")).Status);
    }

    [Fact]
    [Trait("Conformance", "C6")]
    public async Task Callers_cannot_grant_or_manage_rights_above_their_own()
    {
        var clerk = await backend.CreateRoleAsync(
            "user:read",
            "user:create",
            "user:update",
            "user:delete",
            "role:read",
            "role:manage",
            "session:manage",
            "resource/bicycle:read"
        );
        var person = await backend.CreatePersonAsync(clerk);
        var admin = await backend.CreatePersonAsync("admin");
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
    [Trait("Conformance", "C6")]
    public async Task Last_administrator_cannot_be_removed()
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
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
    [Trait("Conformance", "C6")]
    public async Task Stale_administrator_entry_is_removed_by_the_next_role_change()
    {
        var roles = backend.Server.Services.GetRequiredService<IClusterClient>().GetGrain<IRoleGrain>(RoleBook.Id);
        var person = await backend.CreatePersonAsync("user");
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
    [Trait("Conformance", "C6")]
    public async Task Role_that_is_created_again_has_no_holders_until_it_is_granted_again()
    {
        var role = await backend.CreateRoleAsync("resource:read");
        var person = await backend.CreatePersonAsync(role);
        var before = (await person.LoginAsync()).Caller;
        Assert.Equal(200, (await before.GetAsync("/api/v1/resources")).Status);
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/roles/{role}")).Status);
        var anew = new { name = role, permissions = new[] { "user:read", "resource:read" } };
        Assert.Equal(201, (await backend.Admin.PostAsync("/roles", anew)).Status);
        // Somebody else gets it; so the node knows of it.
        var holder = (await (await backend.CreatePersonAsync(role)).LoginAsync()).Caller;
        await Eventually.HoldsAsync(async () => (await holder.GetAsync("/api/v1/users")).Status is 200);
        var after = (await person.LoginAsync()).Caller;
        foreach (var caller in new[] { before, after })
        {
            foreach (var path in new[] { "/api/v1/users", "/api/v1/resources" })
                Assert.Equal(403, (await caller.GetAsync(path)).Status);
            Assert.Equal("[]", (await caller.GetAsync("/api/v1/me")).Text("/data/roles"));
        }
        var user = $"/api/v1/users/{person.Id}";
        Assert.Equal("[]", (await backend.Admin.GetAsync(user)).Text("/data/roles"));

        var granted = await backend.Admin.SendAsync("PUT", user + "/roles", $$"""{"roles":["{{role}}"]}""");
        Assert.Equal((200, $"[\"{role}\"]"), (granted.Status, granted.Text("/data/roles")));
        await Eventually.HoldsAsync(async () => (await after.GetAsync("/api/v1/users")).Status is 200);
        Assert.Equal($"[\"{role}\"]", (await after.GetAsync("/api/v1/me")).Text("/data/roles"));
        Assert.Equal(200, (await (await person.LoginAsync()).Caller.GetAsync("/api/v1/users")).Status);
    }

    [Fact]
    [Trait("Conformance", "C6")]
    public async Task Role_change_applies_to_tokens_issued_before_it()
    {
        var role = await backend.CreateRoleAsync("resource/bicycle:read");
        var person = await backend.CreatePersonAsync(role);
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
    public async Task Role_limited_to_a_type_sees_only_that_type()
    {
        var seen = $"t{Guid.NewGuid():n}";
        var other = $"t{Guid.NewGuid():n}";
        var person = await backend.CreatePersonAsync(
            await backend.CreateRoleAsync(
                $"resource/{seen}:read",
                $"resource/{seen}:update",
                "resource:create",
                $"resource/{other}:read:own"
            )
        );
        var caller = (await person.LoginAsync()).Caller;
        async Task<string> MakeAsync(ApiClient by, string type) =>
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
            backend.Server.Address,
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
}
