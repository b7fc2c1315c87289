namespace Resources.Api.Tests;

/// <summary>What callers learn of resources and types that are out of their reach: nothing, whatever is wrong with a request.</summary>
public sealed class TypeReachTests(Backend backend) : TypeBackend(backend)
{
    readonly string type = FreshType();

    async Task<ApiClient> CallerAsync(params string[] permissions) =>
        (await (await Backend.CreatePersonAsync(await Backend.CreateRoleAsync(permissions))).LoginAsync()).Caller;

    async Task<string> DeclareKeyAsync()
    {
        Is(
            await DeclareAsync(
                Definition(
                    type,
                    """{"type":"object","properties":{"key":{"type":"string"}}}""",
                    """
                    "unique":{"key":{"members":["/metadata/key"]}}
                    """
                )
            ),
            201
        );
        return await MadeAsync(type, """{"key":"a"}""");
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("PUT", "")]
    [InlineData("PATCH", "")]
    [InlineData("DELETE", "")]
    [InlineData("POST", "/restore")]
    public async Task Faulty_request_for_what_is_out_of_reach_is_as_for_what_is_not_there(string method, string action)
    {
        var id = await DeclareKeyAsync();
        var other = await MadeAsync(FreshType(), "{}");
        string[] own = [$"resource/{type}:read:own", $"resource/{type}:update:own", $"resource/{type}:delete:own"];
        var callers = new[]
        {
            await CallerAsync(own),
            await CallerAsync([.. own.Select(one => one.Replace(type, FreshType(), StringComparison.Ordinal))]),
        };
        string[] addresses =
        [
            $"resources/{id}",
            $"resources/{other}",
            $"resources/{Guid.CreateVersion7()}",
            .. action is "" ? new[] { "by/key/a", "by/key/b", "by/none/a" } : [],
        ];
        foreach (var caller in callers)
        foreach (var address in addresses)
        foreach (
            var (query, body, mediaType, headers) in new (string, string?, string, (string, string)[])[]
            {
                ("", """{"name":"n","metadata":{"key":"a"}}""", "application/json", []),
                ("", """{"name":"n","metadata":{"key":"a"}}""", "application/json", [Any]),
                ("", """{"name":"n","metadata":{"key":"z"}}""", "application/json", [Any]),
                ("", """{"nmae":1}""", "application/json", [Any]),
                ("", "{", "application/json", [Any]),
                ("", "a", "text/plain", [Any]),
                ("?version=x", null, "application/json", []),
                ("?none=1", null, "application/json", []),
                ("", null, "application/json", [("If-Match", "garbage")]),
                ("", null, "application/json", [("Idempotency-Key", "")]),
            }
        )
        {
            var answer = await caller.SendAsync(
                method,
                $"/api/v1/types/{type}/{address}{action}{query}",
                method is "GET" or "DELETE" or "POST" ? null : body ?? "{}",
                mediaType,
                headers
            );
            Assert.True(
                (answer.Status, answer.Code) == (404, "RESOURCE_NOT_FOUND"),
                $"{method} {address} {query} {body} {string.Join(' ', headers)}: {answer}"
            );
        }
    }

    [Fact]
    public async Task Faulty_request_for_what_is_within_reach_is_told_its_faults()
    {
        var id = await DeclareKeyAsync();
        foreach (var address in new[] { $"resources/{id}", "by/key/a" })
            Is(
                await Admin.GetAsync($"/api/v1/types/{type}/{address}", ("If-Match", "garbage")),
                400,
                "VALIDATION_FAILED",
                "header:If-Match"
            );
        Is(
            await Admin.GetAsync($"/api/v1/types/{type}/resources/{id}?version=x"),
            400,
            "VALIDATION_FAILED",
            "?version"
        );
    }

    [Fact]
    public async Task Who_manages_types_reads_them()
    {
        Is(await DeclareAsync(Definition(type)), 201);
        var manager = await CallerAsync("type:manage");
        Is(await manager.SendAsync("PATCH", $"/api/v1/types/{type}", """{"title":"T"}"""), 200);
        Is(await manager.GetAsync($"/api/v1/types/{type}"), 200);
        Assert.Contains($"\"{type}\"", (await manager.GetAsync("/api/v1/types")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Referrers_that_may_be_read_are_shown_whatever_comes_before_them()
    {
        var target = FreshType();
        Is(await DeclareAsync(Definition(target)), 201);
        Is(
            await DeclareAsync(
                Definition(
                    type,
                    """{"type":"object","properties":{"of":{"type":"string"}}}""",
                    $$$"""
                    "references":{"/metadata/of":{"type":"{{{target}}}"}}
                    """
                )
            ),
            201
        );
        var of = await MadeAsync(target, "{}");
        for (var n = 0; n < 20; n++)
            await MadeAsync(type, $$"""{"of":"{{of}}"}""");
        var caller = await CallerAsync($"resource/{target}:*", $"resource/{type}:create", $"resource/{type}:read:own");
        var own = await caller.SendAsync(
            "POST",
            "/api/v1/resources",
            $$$"""{"name":"n","type":"{{{type}}}","metadata":{"of":"{{{of}}}"}}"""
        );
        Is(own, 201);
        var held = await caller.SendAsync("DELETE", $"/api/v1/resources/{of}");
        Is(held, 409, "STILL_REFERENCED");
        Assert.Equal(
            ("21", $"[\"{own.Text("/data/id")}\"]"),
            (held.Text("/referrers/count"), held.Text("/referrers/resources"))
        );
        var all = await Admin.SendAsync("DELETE", $"/api/v1/resources/{of}");
        Assert.Equal(
            ("21", 20),
            (all.Text("/referrers/count"), all.At("/referrers/resources")!.Value.GetArrayLength())
        );
    }

    [Fact]
    public async Task Actions_of_a_type_out_of_reach_are_as_those_of_a_free_one()
    {
        var action = $"a{Guid.NewGuid():n}";
        Is(
            await DeclareAsync(
                Definition(
                    type,
                    rest: $$$"""
                    "lifecycle":{"initial":"draft","states":{"draft":{},"out":{}},
                     "transitions":[{"from":"draft","to":"out","permission":"{{{action}}}"}]}
                    """
                )
            ),
            201
        );
        var free = FreshType();
        string[] rights = ["role:manage", $"resource/{free}:read"];
        var role = await Backend.CreateRoleAsync($"resource/{free}:read");
        var caller = await CallerAsync(rights);
        foreach (var name in new[] { type, free })
        {
            var permissions = $$"""["resource/{{name}}:{{action}}"]""";
            foreach (
                var (method, path, body) in new[]
                {
                    ("POST", "roles", $$"""{"name":"r{{Guid.NewGuid():n}}","permissions":{{permissions}}}"""),
                    ("PUT", $"roles/{role}", $$"""{"permissions":{{permissions}}}"""),
                    ("POST", "api-keys", $$"""{"name":"k","permissions":{{permissions}}}"""),
                }
            )
                Is(await caller.SendAsync(method, "/api/v1/" + path, body), 403, "ABOVE_OWN_RIGHTS");
        }

        Task<Answer> ExplainAsync(ApiClient of) =>
            of.SendAsync("POST", "/api/v1/access/explain", $$"""{"permission":"resource:{{action}}"}""");
        Is(await ExplainAsync(caller), 400, "VALIDATION_FAILED", "/permission");
        foreach (var known in new[] { "read", action })
            Is(await ExplainAsync(await CallerAsync($"resource/{type}:{known}")), 200);
    }

    [Theory]
    [
        InlineData("types/TYPE/resources?sort=metadata.key"),
        InlineData("resources?type=TYPE&sort=metadata.key"),
        InlineData("resources?type=TYPE&expand=of"),
        InlineData("statistics?type=TYPE&max=metadata.key")
    ]
    public async Task Members_of_a_type_out_of_reach_are_as_those_of_a_free_one(string path)
    {
        var target = FreshType();
        Is(await DeclareAsync(Definition(target)), 201);
        Is(
            await DeclareAsync(
                Definition(
                    type,
                    """{"type":"object","properties":{"key":{"type":"string"},"of":{"type":"string"}}}""",
                    $$$"""
                    "indexed":["/metadata/key"],"references":{"/metadata/of":{"type":"{{{target}}}"}}
                    """
                )
            ),
            201
        );
        Task<Answer> ReadAsync(ApiClient caller, string name) =>
            caller.GetAsync("/api/v1/" + path.Replace("TYPE", name, StringComparison.Ordinal));
        while ((await ReadAsync(Admin, type))["Retry-After"] is not null)
            await Task.Delay(50, TestContext.Current.CancellationToken);
        Is(await ReadAsync(await CallerAsync($"resource/{type}:read:own"), type), 200);

        var other = await CallerAsync($"resource/{FreshType()}:read");
        var (known, free) = (await ReadAsync(other, type), await ReadAsync(other, FreshType()));
        Assert.Equal(400, known.Status);
        Assert.Equal((free.Code, free.Text("/errors")), (known.Code, known.Text("/errors")));
    }
}
