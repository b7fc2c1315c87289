using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Api.Tests;

/// <summary>One command makes one version; changes need no reading first, and documents go back as they came.</summary>
public sealed class OneWriteTests(Backend backend)
{
    const string Json = "application/json";
    const string Extended = "application/vnd.resources.patch+json";
    const string One = "/api/v1/resources/{id}";

    public static TheoryData<Scenario> Rows =>
        [
            .. Changes,
            .. Changes.Select(row => row.Refused(Who.Guest)),
            .. Changes.Select(row => row.Refused(Who.User)),
            .. Refusals,
        ];

    static readonly Scenario[] Changes =
    [
        new("merge by a plain document", "PATCH", One, 200)
        {
            Body = """{"name":"n","metadata":{"color":null}}""",
            Has = [("/data/name", "n"), ("/data/metadata", """{"size":{"h":2,"w":1}}""")],
            Appends = ["resource.changed"],
        },
        new("change without reading", "PATCH", One, 200)
        {
            ContentType = Extended,
            Body =
                """[{"op":"increment","path":"/metadata/size/w","value":0.5,"maximum":2},{"op":"addToSet","path":"/metadata/tags","value":"new"}]""",
            Answers = [("ETag", "\"2\"")],
            Has = [("/data/metadata", """{"size":{"h":2,"w":1.5},"tags":["new"],"color":"red"}""")],
            Appends = ["resource.metadata_changed"],
        },
        new("take out what is not in it", "PATCH", One, 200)
        {
            ContentType = Extended,
            Body = """[{"op":"removeFromSet","path":"/metadata/tags","value":"old"}]""",
            Answers = [("ETag", "\"1\"")],
        },
        new("change the version that was read", "PATCH", One, 200)
        {
            ContentType = Extended,
            Body = """[{"op":"replace","path":"/status","value":"sold"}]""",
            Headers = [("If-Match", "\"1\"")],
            Appends = ["resource.status_changed"],
        },
    ];

    static readonly Scenario[] Refusals =
    [
        new("an increment beyond its bound", "PATCH", One, 409)
        {
            ContentType = Extended,
            Body = """[{"op":"increment","path":"/metadata/size/w","value":-2,"minimum":0}]""",
            Code = "BOUND_EXCEEDED",
            Faults = ["/metadata/size/w"],
        },
        new("an increment of what is not there", "PATCH", One, 422)
        {
            ContentType = Extended,
            Body = """[{"op":"increment","path":"/metadata/stock","value":1}]""",
            Code = "PATCH_NOT_APPLICABLE",
            Faults = ["/0"],
        },
        new("an increment as JSON Patch", "PATCH", One, 400)
        {
            ContentType = "application/json-patch+json",
            Body = """[{"op":"increment","path":"/metadata/size/w","value":1}]""",
            Code = "VALIDATION_FAILED",
            Faults = ["/0/op"],
        },
        new("an increment of a stale version", "PATCH", One, 412)
        {
            Given = Given.Changed,
            ContentType = Extended,
            Body = """[{"op":"increment","path":"/metadata/size/w","value":1}]""",
            Headers = [("If-Match", "\"1\"")],
            Code = "VERSION_MISMATCH",
        },
        new("replace what never changes", "PUT", One, 400)
        {
            Body =
                """{"name":"other","id":"0190163d-8694-739b-aea5-966c26f8ad90","version":7,"deletedAt":"2020-01-01T00:00:00Z"}""",
            Headers = [("If-Match", "\"1\"")],
            Code = "VALIDATION_FAILED",
            Faults = ["/id", "/deletedAt"],
        },
        new("replace what the server keeps", "PUT", One, 400)
        {
            Given = Given.Changed,
            Body = """{"name":"other","version":1,"owner":"me","createdAt":"2020-01-01T00:00:00Z"}""",
            Headers = [("If-Match", "*")],
            Code = "VALIDATION_FAILED",
            Faults = ["/owner", "/version", "/createdAt"],
        },
        new("replace with members of another kind", "PUT", One, 400)
        {
            Body = """{"name":"other","version":"1","createdAt":"yesterday","updatedBy":null}""",
            Headers = [("If-Match", "*")],
            Code = "VALIDATION_FAILED",
            Faults = ["/version", "/createdAt", "/updatedBy"],
        },
    ];

    [Theory, MemberData(nameof(Rows), DisableDiscoveryEnumeration = true)]
    public Task Request_gets_the_expected_response_and_appends_one_event_at_most(Scenario row) => row.RunAsync(backend);

    [Fact]
    public async Task Of_fifty_buyers_of_twenty_pieces_twenty_succeed_with_one_request_each()
    {
        var created = await backend.Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            """{"name":"stock","metadata":{"stock":20,"buyers":[]}}"""
        );
        var path = created["Location"]!;

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(buyer =>
                    backend.Admin.SendAsync(
                        "PATCH",
                        path,
                        $$"""[{"op":"increment","path":"/metadata/stock","value":-1,"minimum":0},{"op":"addToSet","path":"/metadata/buyers","value":{{buyer}}}]""",
                        Extended
                    )
                )
        );

        Assert.Equal(20, answers.Count(answer => answer.Status is 200));
        var refused = answers.Where(answer => answer.Status is not 200).ToArray();
        Assert.Equal(30, refused.Length);
        Assert.All(refused, answer =>
        {
            Assert.Equal((409, "BOUND_EXCEEDED"), (answer.Status, answer.Code));
            Assert.Equal(["/metadata/stock"], answer.Faults);
        });
        var left = await backend.Admin.GetAsync(path);
        Assert.Equal(("0", "21"), (left.Text("/data/metadata/stock"), left.Text("/data/version")));
        Assert.Equal(
            Enumerable.Range(0, 50).Where(buyer => answers[buyer].Status is 200),
            JsonSerializer.Deserialize<int[]>(left.Text("/data/metadata/buyers")!)!.Order()
        );
    }

    [Fact]
    public async Task Event_says_what_changed_in_history_and_lists_follow()
    {
        var sample = await backend.CreateAsync();
        foreach (
            var patch in new[]
            {
                """{"name":"a"}""",
                """{"name":"b","status":"draft","metadata":{"size":{"w":3}}}""",
                """{"metadata":{"size":null,"tags":["x"]}}""",
            }
        )
            Assert.Equal(200, (await backend.Admin.SendAsync("PATCH", sample.Path, patch)).Status);

        var history = await backend.Admin.GetAsync($"{sample.Path}/events");
        Assert.Equal(
            [
                ("resource.created", null),
                ("resource.renamed", """["/name"]"""),
                ("resource.changed", """["/name","/status","/metadata/size/w"]"""),
                ("resource.metadata_changed", """["/metadata/size","/metadata/tags"]"""),
            ],
            Enumerable
                .Range(0, 4)
                .Select(i => (history.Text($"/data/{i}/type")!, history.Text($"/data/{i}/data/changed")))
        );
        Assert.Equal("b", history.Text("/data/2/data/name"));
        var filtered = await backend.Admin.GetAsync($"/api/v1/events?resource={sample.Id}&event=resource.changed");
        Assert.Equal(("3", null), (filtered.Text("/data/0/resourceversion"), filtered.Text("/data/1")));
        var listed = await backend.Admin.GetAsync("/api/v1/resources?status=draft&filter=name=\"b\"");
        Assert.Contains(sample.Id.ToString(), listed.Text("/data")!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Document_that_was_read_is_taken_back()
    {
        var sample = await backend.CreateAsync(Given.Changed);
        var read = await backend.Admin.GetAsync(sample.Path);
        var document = JsonNode.Parse(read.Text("/data")!)!.AsObject();

        var same = await backend.Admin.SendAsync(
            "PUT",
            sample.Path,
            document.ToJsonString(),
            Json,
            ("If-Match", read.ETag!)
        );
        Assert.Equal((200, read.ETag), (same.Status, same.ETag));

        document["metadata"]!["color"] = "blue";
        var changed = await backend.Admin.SendAsync(
            "PUT",
            sample.Path,
            document.ToJsonString(),
            Json,
            ("If-Match", read.ETag!)
        );
        Assert.Equal((200, "blue"), (changed.Status, changed.Text("/data/metadata/color")));

        // The version it was read at is gone: with it as condition it is stale, and without one it is refused by name.
        var stale = await backend.Admin.SendAsync(
            "PUT",
            sample.Path,
            document.ToJsonString(),
            Json,
            ("If-Match", read.ETag!)
        );
        Assert.Equal(412, stale.Status);
        var altered = await backend.Admin.SendAsync(
            "PUT",
            sample.Path,
            document.ToJsonString(),
            Json,
            ("If-Match", "*")
        );
        Assert.Equal((400, "VALIDATION_FAILED"), (altered.Status, altered.Code));
        Assert.Equal(["/version", "/updatedAt"], altered.Faults);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/merge-patch+json")]
    public async Task Account_takes_a_merge_patch(string mediaType)
    {
        var person = await backend.CreatePersonAsync();
        var path = $"/api/v1/users/{person.Id}";

        var disabled = await backend.Admin.SendAsync("PATCH", path, """{"disabled":true}""", mediaType);
        var same = await backend.Admin.SendAsync("PATCH", path, "{}", mediaType);
        var refused = await backend.Admin.SendAsync("PATCH", path, """{"disabled":null,"email":"x"}""", mediaType);

        Assert.Equal((200, "true"), (disabled.Status, disabled.Text("/data/disabled")));
        Assert.Equal((200, "true"), (same.Status, same.Text("/data/disabled")));
        Assert.Equal(400, refused.Status);
        Assert.Equal(["/disabled", "/email"], refused.Faults);
    }
}
