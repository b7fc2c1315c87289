using Npgsql;
using Resources.Grains;

namespace Resources.Api.Tests;

/// <summary>Types over HTTP: declared, read, changed, deleted.</summary>
public sealed class TypeTests(Backend backend) : TypeBackend(backend)
{
    const string Closed = """{"type":"object","additionalProperties":false,"properties":{"a":{"type":"integer"}}}""";
    readonly string type = FreshType();

    [Fact]
    public async Task Type_is_declared_read_changed_and_deleted()
    {
        var declared = await DeclareAsync(Definition(type, Closed, "\"title\":\"T\""));
        Is(declared, 201);
        Assert.Equal($"/api/v1/types/{type}", declared["Location"]);
        Assert.Equal((type, "T"), (declared.Text("/data/name"), declared.Text("/data/title")));

        var read = await Admin.GetAsync($"/api/v1/types/{type}");
        Assert.Equal(declared.ETag, read.ETag);
        Is(await Admin.GetAsync($"/api/v1/types/{type}", ("If-None-Match", read.ETag!)), 304);

        // The document that was read can be sent back, changed where clients may change it.
        var sent = System.Text.Encoding.UTF8.GetString(
            System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(read.At("/data"))
        );
        Is(await PutTypeAsync(type, sent, "", ("If-Match", read.ETag!)), 200);
        var wider = await PutTypeAsync(
            type,
            sent.Replace("\"integer\"", "\"number\"", StringComparison.Ordinal),
            "",
            ("If-Match", read.ETag!)
        );
        Is(wider, 200);
        Assert.NotEqual(read.ETag, wider.ETag);
        Is(await PutTypeAsync(type, Definition(type), "", ("If-Match", read.ETag!)), 412, "VERSION_MISMATCH");

        var patched = await Admin.SendAsync("PATCH", $"/api/v1/types/{type}", """{"title":null,"description":"d"}""");
        Is(patched, 200);
        Assert.Equal((null, "d"), (patched.Text("/data/title"), patched.Text("/data/description")));

        var past = await Admin.GetAsync($"/api/v1/types/{type}?version={declared.Text("/data/version")}");
        Assert.Equal("T", past.Text("/data/title"));
        var events = await Admin.GetAsync($"/api/v1/types/{type}/events");
        Assert.Equal(
            ["type.change_proposed", "type.changed", "type.changed", "type.changed"],
            events.At("/data")!.Value.EnumerateArray().Select(one => one.GetProperty("type").GetString())
        );

        Is(await Admin.SendAsync("DELETE", $"/api/v1/types/{type}"), 204);
        Is(await Admin.GetAsync($"/api/v1/types/{type}"), 404, "TYPE_NOT_FOUND");
        Is(await DeclareAsync(Definition(type)), 201);
    }

    [Fact]
    public async Task List_has_the_types_that_the_caller_sees()
    {
        Is(await DeclareAsync(Definition(type)), 201);
        var list = await Admin.GetAsync("/api/v1/types");
        var listed = list.At("/data")!
            .Value.EnumerateArray()
            .Single(one => one.GetProperty("name").GetString() == type)
            .GetRawText();
        Assert.Equal((await Admin.GetAsync($"/api/v1/types/{type}")).Text("/data"), listed);
        Is(await Admin.GetAsync("/api/v1/types", ("If-None-Match", list.ETag!)), 304);
        var limited = await Backend.CreatePersonAsync(await Backend.CreateRoleAsync("resource/other:read"));
        var caller = (await limited.LoginAsync()).Caller;
        Assert.Equal("[]", (await caller.GetAsync("/api/v1/types")).Text("/data"));
        Is(await caller.GetAsync($"/api/v1/types/{type}"), 404, "TYPE_NOT_FOUND");
        Is(await caller.GetAsync($"/api/v1/types/{type}/schema.json"), 404, "TYPE_NOT_FOUND");
    }

    [Fact]
    public async Task Change_that_stored_resources_contradict_changes_nothing_and_says_which()
    {
        var good = await MadeAsync(type, """{"a":1}""");
        var bad = await MadeAsync(type, """{"a":"x"}""");
        var refused = await DeclareAsync(Definition(type, Closed));
        Is(refused, 409, "TYPE_CHANGE_BREAKS_DATA");
        Assert.Equal(
            ("2", "1", bad),
            (refused.Text("/checked"), refused.Text("/offending"), refused.Text("/examples/0/id"))
        );
        Assert.Equal("/metadata/a", refused.Text("/examples/0/errors/0/pointer"));
        Is(await Admin.GetAsync($"/api/v1/types/{type}"), 404, "TYPE_NOT_FOUND");
        // Writes are no longer held to it.
        Is(await PatchAsync(good, """{"metadata":{"a":"y"}}"""), 200);
        Is(await PatchAsync(good, """{"metadata":{"a":1}}"""), 200);

        Is(await PatchAsync(bad, """{"metadata":{"a":2}}"""), 200);
        Is(await DeclareAsync(Definition(type, Closed)), 201);
        Is(await PatchAsync(bad, """{"metadata":{"a":"x"}}"""), 400, "VALIDATION_FAILED", "/metadata/a");
        var change = await Admin.GetAsync($"/api/v1/types/{type}/change");
        Is(change, 200);
        Assert.Equal(("in_force", "2"), (change.Text("/data/state"), change.Text("/data/checked")));
    }

    [Fact]
    public async Task Dry_run_reports_and_changes_nothing()
    {
        await MadeAsync(type, """{"a":1}""");
        await MadeAsync(type, """{"a":1}""");
        var unique = "\"unique\":{\"a\":{\"members\":[\"/metadata/a\"]}}";
        var tried = await DeclareAsync(Definition(type, Closed, unique), "?dryRun=true");
        Is(tried, 200);
        Assert.Equal(
            ("checked", "2", "1", "NOT_UNIQUE", "true"),
            (
                tried.Text("/data/kind"),
                tried.Text("/data/checked"),
                tried.Text("/data/offending"),
                tried.Text("/data/examples/0/errors/0/code"),
                tried.Text("/data/complete")
            )
        );
        Is(await Admin.GetAsync($"/api/v1/types/{type}/events"), 404, "TYPE_NOT_FOUND");
        Is(await DeclareAsync(Definition(type, Closed, unique)), 409, "TYPE_CHANGE_BREAKS_DATA");
    }

    [Fact]
    public async Task Dry_runs_at_the_same_time_are_all_answered()
    {
        await MadeAsync(type, """{"a":"x"}""");
        foreach (
            var tried in await Task.WhenAll(
                Enumerable.Range(0, 4).Select(_ => DeclareAsync(Definition(type, Closed), "?dryRun=true"))
            )
        )
        {
            Is(tried, 200);
            Assert.Equal("1", tried.Text("/data/offending"));
        }
    }

    [Fact]
    public async Task Dry_run_is_refused_where_the_change_would_be()
    {
        var declared = await DeclareAsync(Definition(type, Closed));
        Is(declared, 201);
        Is(await DeclareAsync(Definition(type, Closed), "?dryRun=true"), 409, "ALREADY_EXISTS");
        Is(await PutTypeAsync(type, Definition(type), "?dryRun=true", ("If-Match", "\"1\"")), 412, "VERSION_MISMATCH");
        Is(await PutTypeAsync(type, Definition(type), "?dryRun=true", ("If-Match", declared.ETag!)), 200);
    }

    [Fact]
    public async Task History_is_there_for_every_name_that_was_declared_once()
    {
        var path = $"/api/v1/types/{type}/events";
        foreach (var after in new[] { 0, 1 })
            Is(await Admin.GetAsync($"{path}?after={after}"), 404, "TYPE_NOT_FOUND");
        Is(await Admin.GetAsync($"{path}?after=x"), 404, "TYPE_NOT_FOUND");
        Is(await DeclareAsync(Definition(type)), 201);
        Is(await Admin.SendAsync("DELETE", $"/api/v1/types/{type}"), 204);
        Is(await Admin.GetAsync($"{path}?after=x"), 400, "VALIDATION_FAILED", "?after");
        Assert.Equal("type.deleted", (await Admin.GetAsync($"{path}?after=3")).Text("/data/0/type"));
        Assert.Equal("[]", (await Admin.GetAsync($"{path}?after=4")).Text("/data"));
    }

    [Fact]
    public async Task Page_of_a_history_ends_where_its_definitions_are_large()
    {
        string Large(int n) => Definition(type, $$"""{"type":"object","x-text":"{{new string('x', 120_000)}}{{n}}"}""");
        Is(await DeclareAsync(Large(0)), 201);
        for (var n = 1; n < 12; n++)
            Is(await PutTypeAsync(type, Large(n)), 200);
        var path = $"/api/v1/types/{type}/events?limit=50";
        var page = await Admin.GetAsync(path);
        var count = page.At("/data")!.Value.GetArrayLength();
        Assert.InRange(count, 8, 12);
        var rest = await Admin.GetAsync($"{path}&after={page.Text("/meta/page/next")}");
        Assert.Equal(13, count + rest.At("/data")!.Value.GetArrayLength());
    }

    [Fact]
    public async Task Repeated_request_gets_the_end_of_its_own_change()
    {
        var key = ("Idempotency-Key", $"\"{Guid.NewGuid()}\"");
        Is(await DeclareAsync(Definition(type, Closed)), 201);
        await MadeAsync(type, """{"a":1}""");
        var narrower = Closed.Replace("\"integer\"", "\"string\"", StringComparison.Ordinal);
        Is(await PutTypeAsync(type, Definition(type, narrower), "", Any, key), 409, "TYPE_CHANGE_BREAKS_DATA");
        Is(await PutTypeAsync(type, Definition(type, Closed, "\"title\":\"T\"")), 200);
        // Another change has come into force since.
        Is(await PutTypeAsync(type, Definition(type, narrower), "", Any, key), 409, "TYPE_CHANGE_BREAKS_DATA");
        // The same key for another type is another request.
        var other = FreshType();
        Is(await DeclareAsync(Definition(other)), 201);
        Is(await PutTypeAsync(other, Definition(other, Closed), "", Any, key), 200);
    }

    [Fact]
    public async Task Repeated_replacement_has_its_first_answer_though_the_type_is_gone()
    {
        var key = ("Idempotency-Key", $"\"{Guid.NewGuid()}\"");
        var titled = Definition(type, Closed, "\"title\":\"T\"");
        Is(await DeclareAsync(Definition(type, Closed)), 201);
        var first = await PutTypeAsync(type, titled, "", Any, key);
        Is(first, 200);
        Is(await Admin.SendAsync("DELETE", $"/api/v1/types/{type}"), 204);

        var again = await PutTypeAsync(type, titled, "", Any, key);

        Is(again, 200);
        Assert.Equal(first.ETag, again.ETag);
        Is(await PutTypeAsync(type, titled), 404, "TYPE_NOT_FOUND");
        Is(await PutTypeAsync(type, "[]"), 404, "TYPE_NOT_FOUND");
        Is(await Admin.SendAsync("PUT", $"/api/v1/types/{type}", titled), 404, "TYPE_NOT_FOUND");
    }

    [Fact]
    public async Task Change_that_is_still_checked_says_how_far_it_has_come()
    {
        Is(await DeclareAsync(Definition(type, Closed)), 201);
        var stream = TypeState.StreamOf(type);
        await using var source = NpgsqlDataSource.Create(Backend.Server.ConnectionString);
        await using var session = await source.OpenConnectionAsync(TestContext.Current.CancellationToken);
        async Task ExecuteAsync(string sql, params object[] arguments)
        {
            await using var command = new NpgsqlCommand(sql, session);
            foreach (var argument in arguments)
                command.Parameters.Add(new() { Value = argument });
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        // As if a node were at work on it.
        await ExecuteAsync("select pg_advisory_lock(type_lock($1))", stream);
        var key = ("Idempotency-Key", $"\"{Guid.NewGuid()}\"");
        var narrower = Definition(type, Closed.Replace("\"integer\"", "\"string\"", StringComparison.Ordinal));
        var begun = await PutTypeAsync(type, narrower, "?wait=0", Any, key);
        Is(begun, 202);
        Assert.Equal("0", begun.Text("/data/checked"));
        await ExecuteAsync(
            "insert into type_changes (change, type, checked) values ($1, $2, 41)",
            Guid.Parse(begun.Text("/data/id")!),
            stream
        );

        var again = await PutTypeAsync(type, narrower, "?wait=0", Any, key);

        Is(again, 202);
        Assert.Equal("41", again.Text("/data/checked"));
    }

    [Fact]
    public async Task Type_that_is_needed_is_not_deleted()
    {
        Is(await DeclareAsync(Definition(type)), 201);
        var id = await MadeAsync(type, "{}");
        Is(await Admin.SendAsync("DELETE", $"/api/v1/types/{type}"), 409, "TYPE_IN_USE");
        Is(await DeleteAsync(id), 204);
        var other = FreshType();
        Is(
            await DeclareAsync(
                Definition(
                    other,
                    """{"type":"object","properties":{"of":{"type":"string"}}}""",
                    $$$"""
                    "references":{"/metadata/of":{"type":"{{{type}}}"}}
                    """
                )
            ),
            201
        );
        Is(await Admin.SendAsync("DELETE", $"/api/v1/types/{type}"), 409, "TYPE_IN_USE");
        Is(await Admin.SendAsync("DELETE", $"/api/v1/types/{other}"), 204);
        Is(await Admin.SendAsync("DELETE", $"/api/v1/types/{type}"), 204);
    }

    [Fact]
    public async Task Two_types_have_no_name_in_common()
    {
        Is(await DeclareAsync(Definition(type)), 201);
        Is(await DeclareAsync(Definition(type + "s")), 409, "NAME_CLASH", "/name", "/names/plural");
        Is(await DeclareAsync(Definition(type)), 409, "ALREADY_EXISTS");
    }

    [Fact]
    public async Task Definition_and_resource_are_checked_without_storing_anything()
    {
        async Task<string> CheckAsync(string body)
        {
            var answer = await Admin.SendAsync("POST", "/api/v1/types/check", body);
            Is(answer, 200);
            return answer.Text("/data/valid")
                + string.Concat(
                    answer
                        .At("/data/faults")!
                        .Value.EnumerateArray()
                        .Select(fault => $" {fault.GetProperty("pointer")} {fault.GetProperty("code")}")
                );
        }
        var definition = Definition("t", Closed);
        Assert.Equal("true", await CheckAsync($$"""{"definition":{{definition}}}"""));
        Assert.Equal(
            "true",
            await CheckAsync($$$$"""{"definition":{{{{definition}}}},"resource":{"name":"x","metadata":{"a":1}}}""")
        );
        Assert.Equal(
            "false /resource/metadata/a TYPE",
            await CheckAsync($$$$"""{"definition":{{{{definition}}}},"resource":{"name":"x","metadata":{"a":"1"}}}""")
        );
        Assert.Equal(
            "false /definition/schema NOT_AN_OBJECT",
            await CheckAsync("""{"definition":{"name":"t","schema":{"type":"string"}}}""")
        );
    }

    [Fact]
    public async Task Schema_describes_a_whole_resource()
    {
        Is(await DeclareAsync(Definition(type, Closed)), 201);
        var schema = await Admin.GetAsync($"/api/v1/types/{type}/schema.json");
        Assert.Equal(type, schema.Text("/properties/type/const"));
        Assert.Equal("integer", schema.Text("/properties/metadata/properties/a/type"));
    }
}
