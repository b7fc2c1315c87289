using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Lists, parameters and fields.</summary>
public sealed class ListTests(Backend backend)
{
    [Fact]
    public async Task Pages_contain_every_live_resource_once_newest_first()
    {
        var type = $"t{Guid.NewGuid():n}";
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
            ids.Add(
                (
                    await backend.Admin.SendAsync(
                        "POST",
                        "/api/v1/resources",
                        $$"""{"name":"n{{i}}","type":"{{type}}"}"""
                    )
                ).Text("/data/id")!
            );
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/resources/{ids[2]}")).Status);

        var seen = new List<string>();
        var next = "";
        while (next is not null)
        {
            var page = await backend.User.GetAsync(
                $"/api/v1/resources?type={type}&limit=2{(next is "" ? "" : "&cursor=" + next)}"
            );
            Assert.Matches("^[0-9]+$", page["Position"]);
            seen.AddRange(
                page.At("/data")!.Value.EnumerateArray().Select(resource => resource.GetProperty("id").GetString()!)
            );
            next = page.At("/meta/page/next")!.Value.GetString();
        }
        Assert.Equal([ids[4], ids[3], ids[1], ids[0]], seen);
    }

    [Fact]
    public async Task List_includes_the_latest_write()
    {
        var type = $"t{Guid.NewGuid():n}";
        var created = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            $$$"""{"name":"n","type":"{{{type}}}","status":"draft","metadata":{"a":[1,{"b":"é\ud83d\ude00"}]}}"""
        );
        var list = await backend.User.GetAsync(
            $"/api/v1/resources?type={type}&status=draft&owner={created.Text("/data/owner")}"
        );
        Assert.True(
            JsonElement.DeepEquals(created.At("/data")!.Value, list.At("/data/0")!.Value),
            $"{created}\n{list}"
        );
        Assert.Equal(
            0,
            (await backend.User.GetAsync($"/api/v1/resources?type={type}&status=other"))
                .At("/data")!
                .Value.GetArrayLength()
        );
    }

    [
        Theory,
        InlineData("1000000", "200"),
        InlineData("99999999999999999999", "200"),
        InlineData("0200", "200"),
        InlineData("7", "7")
    ]
    public async Task Limit_above_the_maximum_is_reduced_to_it(string limit, string taken) =>
        Assert.Equal(
            taken,
            (await backend.User.GetAsync($"/api/v1/resources?limit={limit}&type=none")).Text("/meta/page/limit")
        );

    [Theory]
    [
        InlineData("GET", "/api/v1/resources?colour=red", "?colour"),
        InlineData("GET", "/api/v1/resources?Limit=1", "?Limit"),
        InlineData("GET", "/api/v1/resources?limit=1&limit=2", "?limit")
    ]
    [
        InlineData("GET", "/api/v1/resources?limit=", "?limit"),
        InlineData("GET", "/api/v1/resources?limit=-1", "?limit"),
        InlineData("GET", "/api/v1/resources?limit=1e2", "?limit"),
        InlineData("GET", "/api/v1/resources?limit=%D9%A1", "?limit")
    ]
    [
        InlineData("GET", "/api/v1/resources?type=a%00b", "?type"),
        InlineData("GET", "/api/v1/resources?owner=a%00b", "?owner"),
        InlineData("GET", "/api/v1/resources?type=", "?type"),
        InlineData("GET", "/api/v1/resources?cursor=AAAA", "?cursor")
    ]
    [
        InlineData("GET", "/api/v1/resources?fields=", "?fields"),
        InlineData("GET", "/api/v1/resources?fields=metadata.", "?fields"),
        InlineData("GET", "/api/v1/resources?fields=name,,id", "?fields")
    ]
    [
        InlineData("GET", "/api/v1/me?x=1", "?x"),
        InlineData("GET", "/api/v1/users?sort=email", "?sort"),
        InlineData("POST", "/api/v1/resources?dryRun=true", "?dryRun"),
        InlineData("POST", "/api/v1/resources?", null)
    ]
    [InlineData("GET", "/api/v1/resources?cursor=__________________________________", "?cursor")]
    [Trait("Conformance", "D11")]
    public async Task Unknown_repeated_and_invalid_parameters_are_refused(string method, string path, string? fault)
    {
        var answer = await backend.Admin.SendAsync(method, path, method is "POST" ? """{"name":"parameters"}""" : null);
        if (fault is null)
            Assert.Equal(201, answer.Status);
        else
            Assert.Equal((400, fault), (answer.Status, Assert.Single(answer.Faults)));
    }

    [Theory, InlineData("GET"), InlineData("PUT"), InlineData("PATCH"), InlineData("DELETE")]
    public async Task Missing_or_deleted_resource_takes_precedence_over_a_bad_parameter(string method)
    {
        var missing = await backend.Admin.SendAsync(
            method,
            (await backend.CreateAsync(Given.Missing)).Path + "?x=1",
            "{}"
        );
        Assert.Equal("RESOURCE_NOT_FOUND", missing.Code);
        var deleted = await backend.Admin.SendAsync(
            method,
            (await backend.CreateAsync(Given.Deleted)).Path + "?x=1",
            "{}"
        );
        Assert.Equal(method is "DELETE" ? "VALIDATION_FAILED" : "RESOURCE_DELETED", deleted.Code);
    }

    [Theory]
    [
        InlineData("id", """{"id":"*"}"""),
        InlineData("version,name", """{"id":"*","version":1,"name":"sample"}"""),
        InlineData("metadata.size", """{"id":"*","metadata":{"size":{"h":2,"w":1}}}""")
    ]
    [
        InlineData("metadata.size.h,metadata.color", """{"id":"*","metadata":{"size":{"h":2},"color":"red"}}"""),
        InlineData("metadata.none,metadata.color.deep", """{"id":"*","metadata":{}}""")
    ]
    [
        InlineData("metadata.color,metadata", """{"id":"*","metadata":{"size":{"h":2,"w":1},"color":"red"}}"""),
        InlineData("metadata,metadata.color", """{"id":"*","metadata":{"size":{"h":2,"w":1},"color":"red"}}""")
    ]
    public async Task Fields_selects_the_returned_members(string fields, string expected)
    {
        var sample = await backend.CreateAsync();
        Assert.Equal(
            expected.Replace("*", sample.Id.ToString(), StringComparison.Ordinal),
            (await backend.User.GetAsync($"{sample.Path}?fields={fields}")).Text("/data")
        );
    }

    [Theory]
    [
        InlineData("upper"),
        InlineData("braces"),
        InlineData("bare"),
        InlineData("urn"),
        InlineData("spaces"),
        InlineData("1"),
        InlineData("..%2f..%2fetc%2fpasswd"),
        InlineData("%27"),
        InlineData("%25"),
        InlineData("%20"),
        InlineData("long"),
        InlineData("%F0%9F%98%80"),
        InlineData("%ff")
    ]
    [Trait("Conformance", "D8")]
    public async Task Id_has_one_form(string form)
    {
        var id = (await backend.CreateAsync()).Id;
        var text = form switch
        {
            "upper" => "0A" + id.ToString()[2..].ToUpperInvariant(),
            "braces" => $"{{{id}}}",
            "bare" => id.ToString("n"),
            "urn" => $"urn:uuid:{id}",
            "spaces" => $"%20{id}%20",
            "long" => new('a', 5000),
            _ => form,
        };
        foreach (
            var (method, path) in new[]
            {
                ("GET", text),
                ("PUT", text),
                ("PATCH", text),
                ("DELETE", text),
                ("POST", text + "/restore"),
                ("GET", text + "/events"),
            }
        )
        {
            var answer = await backend.Admin.SendAsync(
                method,
                "/api/v1/resources/" + path,
                method is "GET" or "DELETE" ? null : "{}",
                method is "PATCH" ? "application/merge-patch+json" : "application/json",
                ("If-Match", "*")
            );
            Assert.Equal(404, answer.Status);
        }
    }
}
