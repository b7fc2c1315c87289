namespace Resources.Api.Tests;

/// <summary>Resources by a unique value in place of their id.</summary>
public sealed class KeyedResourceTests(Backend backend) : TypeBackend(backend)
{
    readonly string type = FreshType();

    Task<Answer> SendAsync(string method, string value, string? body = null, params (string, string)[] headers) =>
        Admin.SendAsync(method, $"/api/v1/types/{type}/by/key/{value}", body, "application/json", headers);

    async Task DeclareKeyAsync(string member = """{"type":"string"}""") =>
        Is(
            await DeclareAsync(
                Definition(
                    type,
                    $$$"""{"type":"object","properties":{"key":{{{member}}}}}""",
                    """
                    "unique":{"key":{"members":["/metadata/key"]}}
                    """
                )
            ),
            201
        );

    static string Named(string name, string key = "\"a b\"") =>
        $$$"""{"name":"{{{name}}}","metadata":{"key":{{{key}}}}}""";

    [Fact]
    public async Task Resource_is_created_read_replaced_patched_and_deleted_by_its_value()
    {
        await DeclareKeyAsync();
        Is(await SendAsync("GET", "a%20b"), 404, "RESOURCE_NOT_FOUND");
        var created = await SendAsync("PUT", "a%20b", Named("one"));
        Is(created, 201);
        Is(await SendAsync("PUT", "a%20b", Named("no"), ("If-None-Match", "*")), 412, "VERSION_MISMATCH");
        var replaced = await SendAsync("PUT", "a%20b", Named("two"), ("If-Match", created.ETag!));
        Is(replaced, 200);
        Assert.Equal(created.Text("/data/id"), replaced.Text("/data/id"));
        Is(await SendAsync("PATCH", "a%20b", """{"name":"three"}"""), 200);
        Assert.Equal("three", (await SendAsync("GET", "a%20b")).Text("/data/name"));
        Is(await SendAsync("PUT", "other", Named("two")), 400, "VALIDATION_FAILED", "/metadata/key");
        Is(await SendAsync("DELETE", "a%20b"), 204);
        Is(await SendAsync("PATCH", "a%20b", "{}"), 404, "RESOURCE_NOT_FOUND");
        Is(await SendAsync("PUT", "a%20b", Named("new"), ("If-Match", "*")), 412, "VERSION_MISMATCH");
        Is(await SendAsync("PUT", "a%20b", Named("new"), ("If-None-Match", "*")), 201);
    }

    [Theory]
    [InlineData("a/b", "a%2Fb")]
    [InlineData("a%2Fb", "a%252Fb")]
    [InlineData("ä?&", "%C3%A4%3F%26")]
    public async Task Every_text_can_be_an_address(string text, string address)
    {
        await DeclareKeyAsync();
        Is(await SendAsync("PUT", address, Named("n", System.Text.Json.JsonSerializer.Serialize(text))), 201);
        Assert.Equal(text, (await SendAsync("GET", address)).Text("/data/metadata/key"));
    }

    [Fact]
    public async Task Numbers_are_found_by_their_value()
    {
        await DeclareKeyAsync("""{"type":"number"}""");
        Is(await SendAsync("PUT", "1.50", Named("n", "1.5")), 201);
        Is(await SendAsync("GET", "15e-1"), 200);
    }

    [Fact]
    public async Task Text_comes_before_the_number_that_is_spelt_like_it()
    {
        await DeclareKeyAsync("""{"type":["string","number"]}""");
        for (var n = 1; n <= 8; n++)
        {
            var number = await MadeAsync(type, $$"""{"key":{{n}}}""");
            Assert.Equal(number, (await SendAsync("GET", $"{n}")).Text("/data/id"));
            var text = await MadeAsync(type, $$"""{"key":"{{n}}"}""");
            Assert.Equal(text, (await SendAsync("GET", $"{n}")).Text("/data/id"));
            // A replacement says which of them it means.
            Assert.Equal(number, (await SendAsync("PUT", $"{n}", Named("n", $"{n}"))).Text("/data/id"));
            Assert.Equal(text, (await SendAsync("PUT", $"{n}", Named("t", $"\"{n}\""))).Text("/data/id"));
        }
    }

    [Fact]
    public async Task Two_that_race_make_one_resource()
    {
        await DeclareKeyAsync();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(n => SendAsync("PUT", "a%20b", Named($"n{n}")))
        );
        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 201, $"{answer}"));
        Assert.Single(answers, answer => answer.Status is 201);
        Assert.Single(answers.Select(answer => answer.Text("/data/id")).Distinct());
    }

    [Fact]
    public async Task Repeated_creation_is_answered_as_the_first_time()
    {
        await DeclareKeyAsync();
        var key = ("Idempotency-Key", $"\"{Guid.NewGuid()}\"");
        var first = await SendAsync("PUT", "a%20b", Named("one"), key);
        var again = await SendAsync("PUT", "a%20b", Named("one"), key);
        Assert.Equal((201, 201, "true"), (first.Status, again.Status, again["Idempotency-Replayed"]));
        Assert.Equal(first.Text("/data"), again.Text("/data"));
    }

    [Theory]
    [InlineData("PUT", """{"name":"one","metadata":{"key":"a"}}""")]
    [InlineData("PATCH", """{"name":"one"}""")]
    [InlineData("DELETE", null)]
    public async Task Repeated_request_is_for_the_resource_of_the_first(string method, string? body)
    {
        await DeclareKeyAsync();
        var key = ("Idempotency-Key", $"\"{Guid.NewGuid()}\"");
        var had = await MadeAsync(type, """{"key":"a"}""");
        var first = await SendAsync(method, "a", body, key);
        Is(first, method is "DELETE" ? 204 : 200);
        if (method is not "DELETE")
            Is(await PatchAsync(had, """{"metadata":{"key":"b"}}"""), 200);
        foreach (var isTaken in new[] { false, true })
        {
            var has = isTaken ? await MadeAsync(type, """{"key":"a"}""") : null;
            var again = await SendAsync(method, "a", body, key);
            Assert.Equal((first.Status, "true"), (again.Status, again["Idempotency-Replayed"]));
            Assert.Equal(first.Text("/data"), again.Text("/data"));
            if (has is not null)
                Assert.Equal("1", (await Admin.GetAsync($"/api/v1/resources/{has}")).Text("/data/version"));
        }
    }

    [Fact]
    public async Task Key_of_a_request_that_was_refused_does_not_hold_its_resource()
    {
        await DeclareKeyAsync();
        var key = ("Idempotency-Key", $"\"{Guid.NewGuid()}\"");
        var had = await MadeAsync(type, """{"key":"a"}""");
        Is(await SendAsync("PATCH", "a", """{"name":"n"}""", key, ("If-Match", "\"7\"")), 412, "VERSION_MISMATCH");
        Is(await PatchAsync(had, """{"metadata":{"key":"b"}}"""), 200);
        var has = await MadeAsync(type, """{"key":"a"}""");
        Assert.Equal(has, (await SendAsync("PATCH", "a", """{"name":"n"}""", key)).Text("/data/id"));
    }

    [Fact]
    public async Task Write_changes_only_what_has_the_value()
    {
        await DeclareKeyAsync();
        string[] ids = [await MadeAsync(type, """{"key":"a"}"""), await MadeAsync(type, """{"key":"b"}""")];
        using var enough = new CancellationTokenSource();
        var marks = 0;
        async Task MarkAsync()
        {
            while (!enough.IsCancellationRequested)
            {
                var marked = await SendAsync(
                    "PATCH",
                    "a",
                    $$$"""{"metadata":{"mark":{{{Interlocked.Increment(ref marks)}}}}}"""
                );
                Assert.True(marked.Status is 200 or 404, $"{marked}");
            }
        }
        var marking = Enumerable.Range(0, 4).Select(_ => MarkAsync()).ToArray();
        for (var n = 0; n < 15; n++)
        {
            foreach (var (at, value) in new[] { (0, "c"), (1, "a"), (0, "b"), (1, "c"), (0, "a"), (1, "b") })
                Is(await PatchAsync(ids[at], $$$"""{"metadata":{"key":"{{{value}}}"}}"""), 200);
        }
        await enough.CancelAsync();
        await Task.WhenAll(marking);
        foreach (var id in ids)
        {
            var last = int.Parse((await Admin.GetAsync($"/api/v1/resources/{id}")).Text("/data/version")!, null);
            var (mark, had) = ((string?)null, 0);
            for (var version = 1; version <= last; version++)
            {
                var then = await Admin.GetAsync($"/api/v1/resources/{id}?version={version}");
                if (then.Text("/data/metadata/mark") == mark)
                    continue;
                mark = then.Text("/data/metadata/mark");
                had++;
                Assert.Equal("a", then.Text("/data/metadata/key"));
            }
            Assert.True(had > 0, "nothing was marked");
        }
    }

    [Fact]
    public async Task Rule_that_is_not_there_is_not_found()
    {
        await DeclareKeyAsync();
        Is(await Admin.GetAsync($"/api/v1/types/{type}/by/other/a"), 404, "RESOURCE_NOT_FOUND");
        Is(await Admin.GetAsync($"/api/v1/types/{FreshType()}/by/key/a"), 404, "RESOURCE_NOT_FOUND");
    }

    [Fact]
    public async Task Routes_below_a_type_are_those_of_resources_with_the_type_fixed()
    {
        await DeclareKeyAsync();
        var path = $"/api/v1/types/{type}/resources";
        var made = await Admin.SendAsync("POST", path, """{"name":"n","metadata":{"key":"a"}}""");
        Is(made, 201);
        Assert.Equal(type, made.Text("/data/type"));
        var id = made.Text("/data/id");
        Is(await Admin.SendAsync("POST", path, """{"name":"n","type":"other"}"""), 400, "VALIDATION_FAILED", "/type");
        Assert.Equal(id, (await Admin.GetAsync(path)).Text("/data/0/id"));
        Is(await Admin.GetAsync($"{path}/{id}"), 200);
        Is(await Admin.GetAsync($"/api/v1/types/{FreshType()}/resources/{id}"), 404, "RESOURCE_NOT_FOUND");
        Is(await Admin.SendAsync("PATCH", $"{path}/{id}", """{"name":"m"}"""), 200);
        Is(await Admin.SendAsync("PUT", $"{path}/{id}", """{"name":"l"}""", "application/json", Any), 200);
        Is(await Admin.SendAsync("DELETE", $"{path}/{id}"), 204);
        Is(await Admin.SendAsync("POST", $"{path}/{id}/restore"), 200);
        var history = await Admin.GetAsync($"{path}/{id}/events");
        Assert.Equal(
            ["created", "renamed", "replaced", "deleted", "restored"],
            history
                .At("/data")!
                .Value.EnumerateArray()
                .Select(one => one.GetProperty("type").GetString()!.Split('.')[1])
        );
        Is(await Admin.GetAsync($"/api/v1/types/{FreshType()}/resources/{id}/events"), 404, "RESOURCE_NOT_FOUND");
    }
}
