using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Resources whose type is declared.</summary>
public sealed class TypedResourceTests(Backend backend) : TypeBackend(backend)
{
    const string Schema = """
        {"type":"object","additionalProperties":false,"required":["isbn"],
         "properties":{"isbn":{"type":"string"},"price":{"type":"number"},"of":{"type":"string"},"currency":{"type":"string","default":"EUR"}}}
        """;
    const string Life = """
        "lifecycle":{"initial":"draft","states":{"draft":{"lenient":true},"published":{"require":["/metadata/price"]}},
         "transitions":[{"from":"draft","to":"published"}]}
        """;
    const string Unique = """
        "unique":{"isbn":{"members":["/metadata/isbn"],"ignoreCase":true}}
        """;
    readonly string type = FreshType();

    [Fact]
    public async Task Writes_are_held_to_schema_and_lifecycle()
    {
        Is(await DeclareAsync(Definition(type, Schema, Life)), 201);
        var created = await CreateAsync(type, "{}");
        Is(created, 201);
        Assert.Equal(
            ("draft", "EUR", "2"),
            (created.Text("/data/status"), created.Text("/data/metadata/currency"), created.Text("/data/typeVersion"))
        );
        var id = created.Text("/data/id")!;
        Is(await CreateAsync(type, """{"isnb":"1"}"""), 400, "VALIDATION_FAILED", "/metadata/isnb");
        Is(await CreateAsync(type, """{"isbn":"1"}""", "published"), 400, "VALIDATION_FAILED", "/metadata/price");
        var begun = await CreateAsync(type, """{"isbn":"1","price":1}""", "published");
        Is(begun, 409, "TRANSITION_NOT_ALLOWED", "/status");
        Assert.Equal("[\"draft\"]", begun.Text("/allowed"));
        Is(
            await PatchAsync(id, """{"status":"published"}"""),
            400,
            "VALIDATION_FAILED",
            "/metadata/isbn",
            "/metadata/price"
        );
        Is(await PatchAsync(id, """{"status":"published","metadata":{"isbn":"1","price":2}}"""), 200);
        var back = await PatchAsync(id, """{"status":"draft"}""");
        Is(back, 409, "TRANSITION_NOT_ALLOWED", "/status");
        Assert.Equal("[]", back.Text("/allowed"));
        // A replacement without a status leaves it, and puts defaults in.
        var replaced = await Admin.SendAsync(
            "PUT",
            $"/api/v1/resources/{id}",
            """{"name":"n","metadata":{"isbn":"2","price":3}}""",
            "application/json",
            Any
        );
        Is(replaced, 200);
        Assert.Equal(("published", "EUR"), (replaced.Text("/data/status"), replaced.Text("/data/metadata/currency")));
        // What it was given can be sent back.
        Is(
            await Admin.SendAsync(
                "PUT",
                $"/api/v1/resources/{id}",
                JsonSerializer.Serialize(replaced.At("/data")),
                "application/json",
                Any
            ),
            200
        );
        var listed = await Admin.GetAsync($"/api/v1/resources?type={type}");
        Assert.Equal("2", listed.Text("/data/0/typeVersion"));
    }

    [Fact]
    public async Task Value_belongs_to_one_live_resource()
    {
        Is(await DeclareAsync(Definition(type, Schema, Unique)), 201);
        var first = await MadeAsync(type, """{"isbn":"ä1"}""");
        Is(await CreateAsync(type, """{"isbn":"Ä1"}"""), 409, "NOT_UNIQUE", "/metadata/isbn");
        Is(await DeleteAsync(first), 204);
        var second = await MadeAsync(type, """{"isbn":"a\u03081"}""");
        Is(await RestoreAsync(first), 409, "NOT_UNIQUE", "/metadata/isbn");
        Is(await PatchAsync(second, """{"metadata":{"isbn":"2"}}"""), 200);
        Is(await RestoreAsync(first), 200);
    }

    [Fact]
    public async Task Uniqueness_is_not_lost_when_its_comparison_changes()
    {
        Is(await DeclareAsync(Definition(type, Schema, Unique)), 201);
        await MadeAsync(type, """{"isbn":"a"}""");
        Is(
            await PutTypeAsync(
                type,
                Definition(type, Schema, Unique.Replace("true", "false", StringComparison.Ordinal))
            ),
            200
        );
        await MadeAsync(type, """{"isbn":"A"}""");
        Is(await CreateAsync(type, """{"isbn":"a"}"""), 409, "NOT_UNIQUE", "/metadata/isbn");
        Is(await PutTypeAsync(type, Definition(type, Schema, Unique)), 409, "TYPE_CHANGE_BREAKS_DATA");
    }

    [Fact]
    public async Task References_lead_to_live_resources_and_hold_them()
    {
        var target = FreshType();
        Is(await DeclareAsync(Definition(target)), 201);
        var references = $$$"""
            "references":{"/metadata/of":{"type":"{{{target}}}"}}
            """;
        Is(await DeclareAsync(Definition(type, Schema, references)), 201);
        var of = await MadeAsync(target, "{}");
        Is(await CreateAsync(type, """{"isbn":"1","of":"x"}"""), 400, "VALIDATION_FAILED", "/metadata/of");
        Is(
            await CreateAsync(type, $$"""{"isbn":"1","of":"{{Guid.CreateVersion7()}}"}"""),
            409,
            "REFERENCE_NOT_FOUND",
            "/metadata/of"
        );
        var referring = await MadeAsync(type, $$"""{"isbn":"1","of":"{{of}}"}""");
        Is(
            await CreateAsync(type, $$"""{"isbn":"1","of":"{{referring}}"}"""),
            409,
            "REFERENCE_NOT_FOUND",
            "/metadata/of"
        );
        var held = await DeleteAsync(of);
        Is(held, 409, "STILL_REFERENCED");
        Assert.Equal(("1", $"[\"{referring}\"]"), (held.Text("/referrers/count"), held.Text("/referrers/resources")));
        // A rule that is gone holds nothing, whatever it has left.
        Is(await PutTypeAsync(type, Definition(type, Schema)), 200);
        Is(await DeleteAsync(of), 204);
    }

    [Fact]
    public async Task Rules_of_a_change_are_entered_for_what_is_stored()
    {
        await MadeAsync(type, """{"isbn":"1"}""");
        var second = await MadeAsync(type, """{"isbn":"1"}""");
        Is(await DeclareAsync(Definition(type, Schema, Unique)), 409, "TYPE_CHANGE_BREAKS_DATA");
        Is(await PatchAsync(second, """{"metadata":{"isbn":"2"}}"""), 200);
        Is(await DeclareAsync(Definition(type, Schema, Unique)), 201);
        Is(await CreateAsync(type, """{"isbn":"2"}"""), 409, "NOT_UNIQUE", "/metadata/isbn");
    }

    [Fact]
    public async Task Restored_resource_has_to_fit_its_type()
    {
        Is(await DeclareAsync(Definition(type)), 201);
        var id = await MadeAsync(type, """{"colour":"red"}""");
        Is(await DeleteAsync(id), 204);
        Is(await PutTypeAsync(type, Definition(type, Schema)), 200);
        Is(await RestoreAsync(id), 409, "RESTORE_INVALID", "/metadata/colour", "/metadata/isbn");
        Is(
            await RestoreAsync(id, """{"name":"n","metadata":{"isbn":1}}"""),
            400,
            "VALIDATION_FAILED",
            "/metadata/isbn"
        );
        var restored = await RestoreAsync(id, """{"name":"m","metadata":{"isbn":"1"}}""");
        Is(restored, 200);
        Assert.Equal(
            ("m", "1", "EUR", "3"),
            (
                restored.Text("/data/name"),
                restored.Text("/data/metadata/isbn"),
                restored.Text("/data/metadata/currency"),
                restored.Text("/data/version")
            )
        );
        // It is there already.
        Is(await RestoreAsync(id, """{"name":"m","metadata":{"isbn":"1","currency":"EUR"}}"""), 200);
        Is(await RestoreAsync(id, """{"name":"o","metadata":{"isbn":"1"}}"""), 409, "ALREADY_EXISTS");
    }

    [Fact]
    public async Task Restored_resource_begins_anew_where_its_status_is_gone()
    {
        Is(await DeclareAsync(Definition(type, Schema)), 201);
        var id = await MadeAsync(type, """{"isbn":"1"}""", "active");
        Is(await DeleteAsync(id), 204);
        Is(await PutTypeAsync(type, Definition(type, Schema, Life)), 200);
        Is(await RestoreAsync(id), 409, "RESTORE_INVALID", "/status");
        Is(
            await RestoreAsync(id, """{"name":"n","status":"published","metadata":{"isbn":"1","price":1}}"""),
            409,
            "TRANSITION_NOT_ALLOWED",
            "/status"
        );
        var restored = await RestoreAsync(id, """{"name":"n","metadata":{"isbn":"1"}}""");
        Is(restored, 200);
        Assert.Equal("draft", restored.Text("/data/status"));
    }
}
