namespace Resources.Api.Tests;

/// <summary>Requests with an Idempotency-Key have one effect, and repetitions return the first response.</summary>
[Trait("Conformance", "F7")]
public sealed class IdempotencyTests(Backend backend)
{
    const string All = "/api/v1/resources";
    const string Merge = "application/merge-patch+json";

    static string NewKey => Guid.NewGuid().ToString("n");

    static (string, string) With(string key) => ("Idempotency-Key", key);

    [Fact]
    public async Task Repeated_create_returns_the_first_response_after_changes_and_deletion()
    {
        var key = NewKey;
        var first = await backend.Admin.SendAsync(
            "POST",
            All,
            """{"name":"first","metadata":{"a":1}}""",
            headers: With(key)
        );
        Assert.Equal((201, null), (first.Status, first["Idempotency-Replayed"]));
        var path = first["Location"]!;
        Assert.Equal($"{All}/{first.Text("/data/id")}", path);

        async Task RepeatAsync()
        {
            var again = await backend.Admin.SendAsync(
                "POST",
                All,
                """{"name":"first","metadata":{"a":1}}""",
                headers: With($"\"{key}\"")
            );
            Assert.Equal(
                (201, "true", "\"1\"", path),
                (again.Status, again["Idempotency-Replayed"], again.ETag, again["Location"])
            );
            Assert.Equal((first.Text("/data"), first["Position"]), (again.Text("/data"), again["Position"]));
        }

        await RepeatAsync();
        Assert.Equal(200, (await backend.Admin.SendAsync("PATCH", path, """{"name":"moved on"}""", Merge)).Status);
        await RepeatAsync();
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", path)).Status);
        await RepeatAsync();
        Assert.Equal(
            ["resource.created", "resource.renamed", "resource.deleted"],
            await backend.EventsAsync(Guid.Parse(first.Text("/data/id")!))
        );
    }

    [Fact]
    public async Task Repeated_writes_that_changed_nothing_change_nothing_later()
    {
        var sample = await backend.CreateAsync();
        var (patched, deleted) = (With(NewKey), With(NewKey));
        var name = $$"""{"name":"{{(await backend.Admin.GetAsync(sample.Path)).Text("/data/name")}}"}""";
        var first = await backend.Admin.SendAsync("PATCH", sample.Path, name, Merge, patched);
        Assert.Equal((200, "\"1\"", null), (first.Status, first.ETag, first["Idempotency-Replayed"]));
        await backend.Admin.SendAsync("PATCH", sample.Path, """{"name":"moved on"}""", Merge);

        var again = await backend.Admin.SendAsync("PATCH", sample.Path, name, Merge, patched);
        Assert.Equal((200, "\"1\"", "true"), (again.Status, again.ETag, again["Idempotency-Replayed"]));
        Assert.Equal((first.Text("/data"), first["Position"]), (again.Text("/data"), again["Position"]));
        Assert.Equal("moved on", (await backend.Admin.GetAsync(sample.Path)).Text("/data/name"));

        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", sample.Path)).Status);
        async Task<Answer> DeleteAsync() =>
            await backend.Admin.SendAsync("DELETE", sample.Path, headers: [deleted, ("If-Match", "\"3\"")]);
        Assert.Equal(204, (await DeleteAsync()).Status);
        Assert.Equal(200, (await backend.Admin.SendAsync("POST", sample.Path + "/restore")).Status);
        var replay = await DeleteAsync();
        Assert.Equal((204, "true"), (replay.Status, replay["Idempotency-Replayed"]));
        Assert.Equal(200, (await backend.Admin.GetAsync(sample.Path)).Status);
    }

    [Fact]
    public async Task Every_kind_of_write_can_be_repeated_without_a_second_effect()
    {
        var sample = await backend.CreateAsync();
        (string Method, string Path, string? Body, string Type, int Status)[] writes =
        [
            ("PUT", sample.Path, """{"name":"put"}""", "application/json", 200),
            ("PATCH", sample.Path, """{"name":"patched","status":"new"}""", Merge, 200),
            (
                "PATCH",
                sample.Path,
                """[{"op":"add","path":"/metadata/list","value":[1]}]""",
                "application/json-patch+json",
                200
            ),
            ("DELETE", sample.Path, null, "application/json", 204),
            ("POST", sample.Path + "/restore", null, "application/json", 200),
            ("DELETE", sample.Path, null, "application/json", 204),
        ];
        var done = new List<(int At, string Key, Answer First)>();
        for (var i = 0; i < writes.Length; i++)
        {
            var key = NewKey;
            var (method, path, body, type, status) = writes[i];
            var first = await backend.Admin.SendAsync(method, path, body, type, ("If-Match", "*"), With(key));
            Assert.True(status == first.Status, first.ToString());
            done.Add((i, key, first));
        }
        var events = await backend.EventsAsync(sample.Id);

        foreach (var (at, key, first) in done)
        {
            var (method, path, body, type, status) = writes[at];
            var again = await backend.Admin.SendAsync(method, path, body, type, ("If-Match", "*"), With(key));
            Assert.Equal(
                (status, "true", first.ETag, first["Position"], first.Text("/data")),
                (again.Status, again["Idempotency-Replayed"], again.ETag, again["Position"], again.Text("/data"))
            );
        }
        Assert.Equal(events, await backend.EventsAsync(sample.Id));
    }

    [Fact]
    public async Task Repetition_is_recognised_before_its_precondition_is_evaluated()
    {
        var sample = await backend.CreateAsync();
        var key = NewKey;
        for (var i = 0; i < 2; i++)
        {
            var answer = await backend.Admin.SendAsync(
                "PUT",
                sample.Path,
                """{"name":"once"}""",
                "application/json",
                ("If-Match", "\"1\""),
                With(key)
            );
            Assert.Equal((200, "\"2\""), (answer.Status, answer.ETag));
        }
        Assert.Equal(2, (await backend.EventsAsync(sample.Id)).Length);
    }

    [Fact]
    public async Task Key_of_another_request_is_refused()
    {
        var key = NewKey;
        var first = await backend.Admin.SendAsync("POST", All, """{"name":"one"}""", headers: With(key));
        var path = first["Location"]!;

        Assert.Equal(
            "IDEMPOTENCY_KEY_REUSED",
            (await backend.Admin.SendAsync("POST", All, """{"name":"two"}""", headers: With(key))).Code
        );
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", path)).Status);
        Assert.Equal(
            "IDEMPOTENCY_KEY_REUSED",
            (await backend.Admin.SendAsync("POST", All, """{"name":"two"}""", headers: With(key))).Code
        );
        Assert.Equal(2, (await backend.EventsAsync(Guid.Parse(first.Text("/data/id")!))).Length);
    }

    [Fact]
    public async Task Equal_keys_of_two_callers_are_independent()
    {
        var key = NewKey;
        var email = $"{NewKey}@example.org";
        var name = NewKey;
        await backend.AddUserAsync(email, "fifteen letters", "admin");
        var other = await backend.Guest.LoginAsync(email, "fifteen letters");

        var mine = await backend.Admin.SendAsync("POST", All, $$"""{"name":"{{name}}"}""", headers: With(key));
        var theirs = await other.SendAsync("POST", All, $$"""{"name":"{{name}}"}""", headers: With(key));

        Assert.Equal((201, 201), (mine.Status, theirs.Status));
        Assert.NotEqual(mine.Text("/data/id"), theirs.Text("/data/id"));
        Assert.Null(theirs["Idempotency-Replayed"]);
    }

    [Fact]
    public async Task Concurrent_requests_with_one_key_have_one_effect_and_equal_responses()
    {
        var key = NewKey;
        var name = NewKey;
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(_ => backend.Admin.SendAsync("POST", All, $$"""{"name":"{{name}}"}""", headers: With(key)))
        );

        Assert.All(answers, answer =>
            Assert.Equal(
                (201, "\"1\"", answers[0].Text("/data"), answers[0]["Location"]),
                (answer.Status, answer.ETag, answer.Text("/data"), answer["Location"])
            )
        );
        Assert.Single(answers, answer => answer["Idempotency-Replayed"] is null);
        Assert.Equal(1, await backend.CountCreatedAsync(name));

        var patches = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(_ =>
                    backend.Admin.SendAsync(
                        "PATCH",
                        answers[0]["Location"]!,
                        """{"status":"once"}""",
                        Merge,
                        With(key + "p")
                    )
                )
        );
        Assert.All(patches, answer => Assert.Equal((200, "\"2\""), (answer.Status, answer.ETag)));
        Assert.Equal(
            ["resource.created", "resource.status_changed"],
            await backend.EventsAsync(Guid.Parse(answers[0].Text("/data/id")!))
        );
    }

    [Fact]
    [Trait("Conformance", "F8")]
    public async Task Refused_request_does_not_consume_its_key()
    {
        var sample = await backend.CreateAsync(Given.Changed);
        var key = NewKey;
        Assert.Equal(
            412,
            (
                await backend.Admin.SendAsync(
                    "PATCH",
                    sample.Path,
                    """{"name":"x"}""",
                    Merge,
                    ("If-Match", "\"1\""),
                    With(key)
                )
            ).Status
        );
        Assert.Equal(
            200,
            (
                await backend.Admin.SendAsync(
                    "PATCH",
                    sample.Path,
                    """{"name":"x"}""",
                    Merge,
                    ("If-Match", "\"2\""),
                    With(key)
                )
            ).Status
        );
    }

    [Theory]
    [
        InlineData("\"\""),
        InlineData("\"open"),
        InlineData("\"a\"b\""),
        InlineData("\"a\\\""),
        InlineData("\"a\\b\""),
        InlineData("\"")
    ]
    public async Task Malformed_key_is_refused(string key) => await RefusesAsync(With(key));

    [Fact]
    public async Task Key_has_1_to_255_characters()
    {
        await RefusesAsync(With(new('k', 256)));
        await RefusesAsync(With($"\"{new string('k', 256)}\""));
        Assert.Equal(
            201,
            (
                await backend.Admin.SendAsync(
                    "POST",
                    All,
                    """{"name":"long key"}""",
                    headers: With(NewKey + new string('k', 223))
                )
            ).Status
        );
    }

    [Fact]
    public async Task Escapes_in_a_quoted_key_stand_for_the_characters()
    {
        var id = NewKey;
        var bare = await backend.Admin.SendAsync("POST", All, """{"name":"escaped"}""", headers: With($"{id}\\\"x"));
        var quoted = await backend.Admin.SendAsync(
            "POST",
            All,
            """{"name":"escaped"}""",
            headers: With($"\"{id}\\\\\\\"x\"")
        );
        Assert.Equal(
            (201, bare.Text("/data/id"), "true"),
            (quoted.Status, quoted.Text("/data/id"), quoted["Idempotency-Replayed"])
        );
    }

    async Task RefusesAsync(params (string, string)[] headers)
    {
        var answer = await backend.Admin.SendAsync("POST", All, """{"name":"never"}""", headers: headers);
        Assert.Equal((400, "header:Idempotency-Key"), (answer.Status, Assert.Single(answer.Faults)));
    }
}
