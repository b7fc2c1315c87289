using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Transitions that ask for a permission of their own.</summary>
public sealed class TransitionPermissionTests(Backend backend) : TypeBackend(backend)
{
    const string Life = """
        "lifecycle":{"initial":"draft","states":{"draft":{},"published":{},"gone":{}},
         "transitions":[{"from":"draft","to":"published","permission":"publish"},{"from":"published","to":"draft"},
          {"from":"draft","to":"gone","permission":"delete"}]}
        """;
    readonly string type = FreshType();

    async Task<(ApiClient Caller, Person Person)> CallerAsync(params string[] permissions)
    {
        var person = await Backend.CreatePersonAsync(await Backend.CreateRoleAsync(permissions));
        return ((await person.LoginAsync()).Caller, person);
    }

    async Task<string> MadeByAsync(ApiClient caller)
    {
        var made = await caller.SendAsync("POST", "/api/v1/resources", $$"""{"name":"n","type":"{{type}}"}""");
        Is(made, 201);
        return made.Text("/data/id")!;
    }

    static async Task<ApiClient> KeyAsync((ApiClient Caller, Person Person) of, string[] permissions)
    {
        var made = await of.Caller.SendAsync(
            "POST",
            "/api/v1/api-keys",
            JsonSerializer.Serialize(new { name = "k", permissions })
        );
        Is(made, 201);
        return of.Person.Guest.With(made.Text("/data/key")!);
    }

    static Task<Answer> PatchAsync(ApiClient caller, string id, string patch) =>
        caller.SendAsync("PATCH", $"/api/v1/resources/{id}", patch, "application/merge-patch+json");

    [Fact]
    public async Task Only_who_has_the_permission_makes_the_transition()
    {
        Is(await DeclareAsync(Definition(type, rest: Life)), 201);
        var (writer, _) = await CallerAsync(
            $"resource/{type}:create",
            $"resource/{type}:read",
            $"resource/{type}:update"
        );
        var (publisher, _) = await CallerAsync(
            $"resource/{type}:read",
            $"resource/{type}:update",
            $"resource/{type}:publish"
        );
        var id = await MadeByAsync(writer);

        var refused = await PatchAsync(writer, id, """{"status":"published"}""");
        Is(refused, 403, "FORBIDDEN");
        Assert.Contains($"resource/{type}:publish", refused.Text("/detail"), StringComparison.Ordinal);
        var body = """{"name":"n","status":"published","metadata":{}}""";
        Is(await writer.SendAsync("PUT", $"/api/v1/resources/{id}", body, "application/json", Any), 403, "FORBIDDEN");
        Is(await PatchAsync(writer, id, """{"name":"other"}"""), 200);

        Is(await PatchAsync(publisher, id, """{"status":"published"}"""), 200);
        Is(await PatchAsync(writer, id, """{"status":"draft"}"""), 200);
        // Neither has the permission of the server's that this transition asks for.
        Is(await PatchAsync(publisher, id, """{"status":"gone"}"""), 403, "FORBIDDEN");
        Is(await PatchAsync(id, """{"status":"gone"}"""), 200);
    }

    [Fact]
    public async Task Restore_with_a_replacement_is_a_transition()
    {
        Is(await DeclareAsync(Definition(type, rest: Life)), 201);
        var (writer, _) = await CallerAsync(
            $"resource/{type}:create",
            $"resource/{type}:update",
            $"resource/{type}:read",
            $"resource/{type}:delete"
        );
        var id = await MadeByAsync(writer);
        Is(await writer.SendAsync("DELETE", $"/api/v1/resources/{id}"), 204);
        var path = $"/api/v1/resources/{id}/restore";

        Is(
            await writer.SendAsync("POST", path, """{"name":"n","status":"published","metadata":{}}"""),
            403,
            "FORBIDDEN"
        );
        Is(await writer.SendAsync("POST", path, """{"name":"n","status":"gone","metadata":{}}"""), 200);
    }

    [Fact]
    public async Task Permission_for_own_resources_reaches_no_others()
    {
        Is(await DeclareAsync(Definition(type, rest: Life)), 201);
        var (caller, _) = await CallerAsync(
            $"resource/{type}:create",
            $"resource/{type}:read",
            $"resource/{type}:update",
            $"resource/{type}:publish:own"
        );

        Is(await PatchAsync(caller, await MadeByAsync(caller), """{"status":"published"}"""), 200);
        Is(await PatchAsync(caller, await MadeAsync(type, "{}"), """{"status":"published"}"""), 403, "FORBIDDEN");
    }

    [Fact]
    public async Task Key_makes_the_transition_only_if_it_has_the_permission()
    {
        Is(await DeclareAsync(Definition(type, rest: Life)), 201);
        var of = await CallerAsync($"resource/{type}:*");
        var id = await MadeByAsync(of.Caller);
        string[] few = [$"resource/{type}:update", $"resource/{type}:read"];

        Is(await PatchAsync(await KeyAsync(of, few), id, """{"status":"published"}"""), 403, "FORBIDDEN");
        Is(
            await PatchAsync(
                await KeyAsync(of, [.. few, $"resource/{type}:publish"]),
                id,
                """{"status":"published"}"""
            ),
            200
        );
    }

    [Fact]
    public async Task Permission_can_be_granted_as_long_as_the_type_declares_it()
    {
        string permission = $"resource/{type}:publish",
            role = $"r{Guid.NewGuid():n}";
        Task<Answer> CreateRoleAsync() =>
            Admin.SendAsync(
                "POST",
                "/api/v1/roles",
                JsonSerializer.Serialize(new { name = role, permissions = new[] { permission } })
            );
        Is(await CreateRoleAsync(), 400, "VALIDATION_FAILED", "/permissions/0");
        Is(await DeclareAsync(Definition(type, rest: Life)), 201);
        Is(await CreateRoleAsync(), 201);
        var explained = await Admin.SendAsync(
            "POST",
            "/api/v1/access/explain",
            """{"permission":"resource:publish"}"""
        );
        Assert.Equal("true", explained.Text("/data/allowed"));
        // A type of another name does not know it.
        permission = $"resource/{type}s:publish";
        Is(await CreateRoleAsync(), 400, "VALIDATION_FAILED", "/permissions/0");
    }

    [Fact]
    public async Task Migration_does_nothing_that_its_caller_may_not_do()
    {
        Is(await DeclareAsync(Definition(type, rest: Life)), 201);
        var id = await MadeAsync(type, """{"a":1}""");
        Task<Answer> MigrateAsync(ApiClient caller, string operation) =>
            caller.SendAsync(
                "PATCH",
                $"/api/v1/types/{type}?wait=60",
                $$"""{"migration":[{{operation}}]}""",
                "application/merge-patch+json"
            );
        const string remove = """{"op":"remove","path":"/metadata/a"}""";
        const string publish = """{"op":"map","path":"/status","values":{"draft":"published"}}""";

        var (manager, _) = await CallerAsync("type:manage", $"resource/{type}:update:own");
        var refused = await MigrateAsync(manager, remove);
        Is(refused, 403, "FORBIDDEN");
        Assert.Contains($"resource/{type}:update", refused.Text("/detail"), StringComparison.Ordinal);

        var (writer, _) = await CallerAsync("type:manage", $"resource/{type}:update");
        Is(await MigrateAsync(writer, remove), 200);
        refused = await MigrateAsync(writer, publish);
        Is(refused, 403, "FORBIDDEN");
        Assert.Contains($"resource/{type}:publish", refused.Text("/detail"), StringComparison.Ordinal);
        Assert.Equal("draft", (await Admin.GetAsync($"/api/v1/resources/{id}")).Text("/data/status"));

        var (publisher, _) = await CallerAsync("type:manage", $"resource/{type}:update", $"resource/{type}:publish");
        Is(await MigrateAsync(publisher, publish), 200);
        var read = await Admin.GetAsync($"/api/v1/resources/{id}");
        Assert.Equal(("published", "{}"), (read.Text("/data/status"), read.Text("/data/metadata")));
    }

    [Fact]
    public async Task Same_transition_asks_for_one_permission()
    {
        var twice = Life.Replace(
            """{"from":"published","to":"draft"}""",
            """{"from":"draft","to":"published"}""",
            StringComparison.Ordinal
        );
        Is(
            await DeclareAsync(Definition(type, rest: twice)),
            400,
            "VALIDATION_FAILED",
            "/lifecycle/transitions/1/permission"
        );
    }
}
