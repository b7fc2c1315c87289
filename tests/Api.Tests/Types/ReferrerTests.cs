namespace Resources.Api.Tests;

/// <summary>Deletions of what others refer to, by callers who may do more or less to these.</summary>
public sealed class ReferrerTests(Backend backend) : TypeBackend(backend)
{
    readonly string target = FreshType();
    readonly string type = FreshType();

    async Task SetUpAsync(string policy)
    {
        Is(await DeclareAsync(Definition(target)), 201);
        var declared = await DeclareAsync(
            Definition(
                type,
                """{"type":"object","properties":{"of":{"type":"string"},"all":{"type":"array","items":{"type":"string"}}}}""",
                $$$"""
                "references":{"/metadata/of":{"type":"{{{target}}}","onDelete":"{{{policy}}}"},"/metadata/all/*":{"type":"{{{target}}}","onDelete":"unset"}}
                """
            )
        );
        Is(declared, 201);
    }

    async Task<ApiClient> CallerAsync(params string[] permissions) =>
        (await (await Backend.CreatePersonAsync(await Backend.CreateRoleAsync(permissions))).LoginAsync()).Caller;

    static Task<Answer> DeleteAsync(ApiClient caller, string id) =>
        caller.SendAsync("DELETE", $"/api/v1/resources/{id}");

    [Fact]
    public async Task Cascade_deletes_and_unset_removes_in_one_request()
    {
        await SetUpAsync("cascade");
        var (of, other) = (await MadeAsync(target, "{}"), await MadeAsync(target, "{}"));
        var part = await MadeAsync(type, $$"""{"of":"{{of}}"}""");
        var seeing = await MadeAsync(type, $$"""{"of":"{{other}}","all":["{{other}}","{{of}}"]}""");

        Is(await DeleteAsync(of), 204);

        Is(await Admin.GetAsync($"/api/v1/resources/{part}"), 410, "RESOURCE_DELETED");
        var left = await Admin.GetAsync($"/api/v1/resources/{seeing}");
        Assert.Equal(
            ("2", $"[\"{other}\"]", other),
            (left.Text("/data/version"), left.Text("/data/metadata/all"), left.Text("/data/metadata/of"))
        );
        var events = await Admin.GetAsync($"/api/v1/resources/{part}/events");
        Assert.Equal("resource.deleted", events.Text("/data/1/type"));
    }

    [Fact]
    public async Task Cascade_goes_as_far_as_the_caller_may_delete()
    {
        await SetUpAsync("cascade");
        var of = await MadeAsync(target, "{}");
        var part = await MadeAsync(type, $$"""{"of":"{{of}}"}""");

        var blind = await DeleteAsync(await CallerAsync($"resource/{target}:*"), of);
        var reader = await DeleteAsync(await CallerAsync($"resource/{target}:*", $"resource/{type}:read"), of);
        var editor = await DeleteAsync(
            await CallerAsync($"resource/{target}:*", $"resource/{type}:update", $"resource/{type}:*:own"),
            of
        );

        Is(blind, 409, "STILL_REFERENCED");
        Assert.Equal(("1", "[]"), (blind.Text("/referrers/count"), blind.Text("/referrers/resources")));
        Assert.DoesNotContain(part, blind.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(type, blind.ToString(), StringComparison.Ordinal);
        Is(reader, 409, "STILL_REFERENCED");
        Assert.Equal($"[\"{part}\"]", reader.Text("/referrers/resources"));
        Is(editor, 409, "STILL_REFERENCED");
        Is(await Admin.GetAsync($"/api/v1/resources/{part}"), 200);
        Is(await DeleteAsync(await CallerAsync($"resource/{target}:*", $"resource/{type}:delete"), of), 204);
        Is(await Admin.GetAsync($"/api/v1/resources/{part}"), 410, "RESOURCE_DELETED");
    }

    [Fact]
    public async Task Reference_is_removed_for_whom_may_update_what_has_it()
    {
        await SetUpAsync("unset");
        var of = await MadeAsync(target, "{}");
        var seeing = await MadeAsync(type, $$"""{"of":"{{of}}"}""");

        Is(
            await DeleteAsync(await CallerAsync($"resource/{target}:*", $"resource/{type}:delete"), of),
            409,
            "STILL_REFERENCED"
        );
        Is(await DeleteAsync(await CallerAsync($"resource/{target}:*", $"resource/{type}:update"), of), 204);

        var left = await Admin.GetAsync($"/api/v1/resources/{seeing}");
        Assert.Equal(("2", "{}"), (left.Text("/data/version"), left.Text("/data/metadata")));
    }

    [Fact]
    public async Task Precondition_and_key_are_those_of_the_resource_itself()
    {
        await SetUpAsync("cascade");
        var of = await MadeAsync(target, "{}");
        var part = await MadeAsync(type, $$"""{"of":"{{of}}"}""");
        Is(await PatchAsync(part, """{"name":"second version"}"""), 200);
        (string, string)[] headers = [("If-Match", "\"1\""), ("Idempotency-Key", $"{Guid.NewGuid()}")];

        Is(
            await Admin.SendAsync("DELETE", $"/api/v1/resources/{of}", headers: ("If-Match", "\"2\"")),
            412,
            "VERSION_MISMATCH"
        );
        Is(await Admin.SendAsync("DELETE", $"/api/v1/resources/{of}", headers: headers), 204);
        Is(await Admin.SendAsync("DELETE", $"/api/v1/resources/{of}", headers: headers), 204);
        Is(await Admin.GetAsync($"/api/v1/resources/{part}"), 410, "RESOURCE_DELETED");
    }

    [Fact]
    public async Task Definition_says_what_is_wrong_with_a_policy()
    {
        Is(await DeclareAsync(Definition(target)), 201);
        string With(string policy) =>
            Definition(
                type,
                """{"type":"object","required":["of"],"properties":{"of":{"type":"string"}}}""",
                $$$"""
                "references":{"/metadata/of":{"type":"{{{target}}}","onDelete":"{{{policy}}}"}}
                """
            );
        const string Place = "/references/~1metadata~1of/onDelete";
        Is(await DeclareAsync(With("drop")), 400, "VALIDATION_FAILED", Place);
        Is(await DeclareAsync(With("unset")), 400, "VALIDATION_FAILED", Place);
        Is(await DeclareAsync(With("cascade")), 201);
    }
}
