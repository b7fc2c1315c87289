namespace Resources.Api.Tests;

/// <summary>Migrations of stored data over HTTP.</summary>
public sealed class MigrationTests(Backend backend) : TypeBackend(backend)
{
    const string Old =
        """{"type":"object","additionalProperties":false,"required":["price"],"properties":{"price":{"type":"string"}}}""";

    const string New =
        """{"type":"object","additionalProperties":false,"required":["unitPrice"],"properties":{"unitPrice":{"type":"number"}}}""";

    const string Migration =
        """ "migration":[{"op":"move","from":"/metadata/price","path":"/metadata/unitPrice"},{"op":"convert","path":"/metadata/unitPrice","to":"number"}]""";

    readonly string type = FreshType();

    string Migrated => Definition(type, New, Migration);

    async Task<Answer> GetAsync(string id) => await Admin.GetAsync($"/api/v1/resources/{id}");

    [Fact]
    public async Task Stored_resources_become_what_the_new_definition_demands()
    {
        Is(await DeclareAsync(Definition(type, Old)), 201);
        var id = await MadeAsync(type, """{"price":"9.5"}""");
        var others = await Task.WhenAll(
            Enumerable.Range(0, 30).Select(n => MadeAsync(type, $$"""{"price":"{{n}}"}"""))
        );
        var changed = await PutTypeAsync(type, Migrated, "?wait=60");
        Is(changed, 200);
        Assert.Null(changed.At("/data/migration"));

        var read = await GetAsync(id);
        Assert.Equal(
            ("""{"unitPrice":9.5}""", "2", read.Text("/data/createdBy")),
            (read.Text("/data/metadata"), read.Text("/data/version"), read.Text("/data/updatedBy"))
        );
        foreach (var other in others)
            Assert.Equal("2", (await GetAsync(other)).Text("/data/version"));
        var events = await Admin.GetAsync($"/api/v1/resources/{id}/events");
        Assert.Equal(
            ["resource.created", "resource.migrated"],
            events.At("/data")!.Value.EnumerateArray().Select(one => one.GetProperty("type").GetString())
        );
        var history = await Admin.GetAsync($"/api/v1/types/{type}/events");
        Assert.Equal(
            [
                "type.change_proposed",
                "type.changed",
                "type.change_proposed",
                "type.migration_begun",
                "type.migration_closing",
                "type.changed",
            ],
            history.At("/data")!.Value.EnumerateArray().Select(one => one.GetProperty("type").GetString())
        );
        Assert.Equal("in_force", (await Admin.GetAsync($"/api/v1/types/{type}/change")).Text("/data/state"));
        Is(
            await CreateAsync(type, """{"price":"1"}"""),
            400,
            "VALIDATION_FAILED",
            "/metadata/price",
            "/metadata/unitPrice"
        );
        Is(await Admin.SendAsync("POST", $"/api/v1/types/{type}/change/close"), 404, "TYPE_CHANGE_NOT_FOUND");
    }

    [Fact]
    public async Task Value_that_does_not_convert_ends_it_before_anything_has_changed()
    {
        Is(await DeclareAsync(Definition(type, Old)), 201);
        var good = await MadeAsync(type, """{"price":"9.5"}""");
        var bad = await MadeAsync(type, """{"price":"nine"}""");
        var tried = await PutTypeAsync(type, Migrated, "?dryRun=true");
        Assert.Equal(
            ("checked", "2", "1", bad),
            (
                tried.Text("/data/kind"),
                tried.Text("/data/checked"),
                tried.Text("/data/offending"),
                tried.Text("/data/examples/0/id")
            )
        );
        var refused = await PutTypeAsync(type, Migrated);
        Is(refused, 409, "TYPE_CHANGE_BREAKS_DATA");
        Assert.Equal(
            ("/metadata/unitPrice", "NOT_CONVERTIBLE"),
            (refused.Text("/examples/0/errors/0/pointer"), refused.Text("/examples/0/errors/0/code"))
        );
        Assert.Equal("1", (await GetAsync(good)).Text("/data/version"));
        Is(await CreateAsync(type, """{"price":"x"}"""), 201);
    }

    [Fact]
    public async Task Faulty_migration_is_refused_with_all_its_faults()
    {
        Is(
            await DeclareAsync(
                Definition(
                    type,
                    New,
                    """ "migration":[{"op":"rename","path":"/metadata/a"},{"op":"default","path":"/metadata/b","value":1},{"op":"convert","path":"/x","to":"date"}]"""
                )
            ),
            400,
            "VALIDATION_FAILED",
            "/migration/0/op",
            "/migration/2/path",
            "/migration/2/to"
        );
        Is(await Admin.GetAsync($"/api/v1/types/{type}/events"), 404, "TYPE_NOT_FOUND");
    }

    [Fact]
    public async Task Free_resources_are_migrated_by_the_first_declaration()
    {
        var id = await MadeAsync(type, """{"price":"3"}""");
        Is(await DeclareAsync(Migrated, "?wait=60"), 201);
        var read = await GetAsync(id);
        Assert.Equal("""{"unitPrice":3}""", read.Text("/data/metadata"));
        Assert.NotEqual("null", read.Text("/data/typeVersion"));
    }

    [Fact]
    public async Task Values_of_items_behind_one_that_is_removed_stay_unique()
    {
        const string lists = """{"type":"object","properties":{"codes":{"type":"array","items":{"type":"string"}}}}""";
        const string rule = """ "unique":{"code":{"members":["/metadata/codes/1"]}}""";
        Is(await DeclareAsync(Definition(type, lists, rule)), 201);
        await MadeAsync(type, """{"codes":["a","b","c"]}""");
        const string remove = """ "migration":[{"op":"remove","path":"/metadata/codes/0"}]""";
        Is(await PutTypeAsync(type, Definition(type, lists, $"{rule},{remove}"), "?wait=60"), 200);
        Is(await CreateAsync(type, """{"codes":["x","c"]}"""), 409, "NOT_UNIQUE", "/metadata/codes/1");
        Is(await CreateAsync(type, """{"codes":["x","b"]}"""), 201);
    }

    [Fact]
    public async Task Deleted_resource_is_migrated_when_it_is_restored()
    {
        Is(await DeclareAsync(Definition(type, Old)), 201);
        var good = await MadeAsync(type, """{"price":"9.5"}""");
        var bad = await MadeAsync(type, """{"price":"nine"}""");
        Is(await DeleteAsync(good), 204);
        Is(await DeleteAsync(bad), 204);
        Is(await PutTypeAsync(type, Migrated, "?wait=60"), 200);
        var restored = await RestoreAsync(good);
        Is(restored, 200);
        Assert.Equal("""{"unitPrice":9.5}""", restored.Text("/data/metadata"));
        Is(await RestoreAsync(bad), 409, "RESTORE_INVALID", "/metadata/unitPrice");
        // Lists show it as the log has it.
        var list = await Admin.GetAsync($"/api/v1/resources?type={type}");
        Assert.Equal("""{"unitPrice":9.5}""", list.Text("/data/0/metadata"));
    }
}
