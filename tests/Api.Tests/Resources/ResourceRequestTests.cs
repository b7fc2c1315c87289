namespace Resources.Api.Tests;

/// <summary>
/// Requests to every endpoint of resources, from each kind of caller: the response, and the events appended.
/// </summary>
[Trait("Conformance", "F3")]
public sealed class ResourceRequestTests(Backend backend)
{
    const string Merge = "application/merge-patch+json";
    const string Patch = "application/json-patch+json";
    const string One = "/api/v1/resources/{id}";

    public static TheoryData<Scenario> Rows =>
        [
            .. Reads,
            .. Reads.Select(row => row.Refused(Who.Guest)),
            .. Reads.Select(row => row with { Name = row.Name + ", user", As = Who.User }),
            .. Writes,
            .. Writes.Select(row => row.Refused(Who.Guest)),
            .. Writes.Select(row => row.Refused(Who.User)),
            .. Refusals,
        ];

    static readonly Scenario[] Reads =
    [
        new("get", "GET", One, 200)
        {
            Answers =
            [
                ("ETag", "\"1\""),
                ("Cache-Control", "private, no-cache"),
                ("Location", null),
                ("Position", null),
            ],
            Has =
            [
                ("/data/name", "sample"),
                ("/data/type", "resource"),
                ("/data/status", "active"),
                ("/data/version", "1"),
                ("/data/deletedAt", "null"),
                ("/data/metadata/color", "red"),
            ],
        },
        new("head", "HEAD", One, 200) { Answers = [("ETag", "\"1\""), ("Content-Type", "application/json")] },
        new("get what is held", "GET", One, 304)
        {
            Headers = [("If-None-Match", "\"1\"")],
            Answers = [("ETag", "\"1\""), ("Cache-Control", "private, no-cache")],
        },
        new("get a past version", "GET", One + "?version=1", 200)
        {
            Given = Given.Changed,
            Answers = [("ETag", "\"1\"")],
            Has = [("/data/name", "sample"), ("/data/version", "1")],
        },
        new("get a version before the deletion", "GET", One + "?version=1", 200)
        {
            Given = Given.Deleted,
            Has = [("/data/name", "sample"), ("/data/deletedAt", "null")],
        },
        new("get some fields", "GET", One + "?fields=name,metadata.size.w", 200)
        {
            Has =
            [
                ("/data/name", "sample"),
                ("/data/metadata", """{"size":{"w":1}}"""),
                ("/data/owner", null),
                ("/data/version", null),
            ],
        },
        new("history", "GET", One + "/events", 200)
        {
            Given = Given.Changed,
            Has =
            [
                ("/data/0/type", "resource.created"),
                ("/data/1/type", "resource.renamed"),
                ("/data/2", null),
                ("/meta/page/limit", "100"),
                ("/meta/page/next", "null"),
            ],
        },
        new("history of a deleted one", "GET", One + "/events", 200)
        {
            Given = Given.Deleted,
            Has = [("/data/1/type", "resource.deleted")],
        },
        new("list", "GET", "/api/v1/resources?limit=1", 200)
        {
            Has = [("/meta/page/limit", "1")],
            Answers = [("Cache-Control", "private, no-cache")],
        },
    ];

    static readonly Scenario[] Writes =
    [
        new("create", "POST", "/api/v1/resources", 201)
        {
            Body = """{"name":"new"}""",
            Answers = [("ETag", "\"1\"")],
            Has =
            [
                ("/data/name", "new"),
                ("/data/type", "resource"),
                ("/data/status", "active"),
                ("/data/metadata", "{}"),
                ("/data/version", "1"),
            ],
        },
        new("create with everything", "POST", "/api/v1/resources", 201)
        {
            Body = """{"name":"new","type":"car","status":"draft","metadata":{"a":[1,null]}}""",
            Has = [("/data/type", "car"), ("/data/status", "draft"), ("/data/metadata", """{"a":[1,null]}""")],
        },
        new("replace", "PUT", One, 200)
        {
            Body = """{"name":"other"}""",
            Headers = [("If-Match", "\"1\"")],
            Answers = [("ETag", "\"2\"")],
            Has = [("/data/name", "other"), ("/data/metadata", "{}"), ("/data/version", "2")],
            Appends = ["resource.replaced"],
        },
        new("replace any version", "PUT", One, 200)
        {
            Body = """{"name":"other","type":"resource"}""",
            Headers = [("If-Match", "*")],
            Appends = ["resource.replaced"],
        },
        new("merge", "PATCH", One, 200)
        {
            ContentType = Merge,
            Body = """{"metadata":{"color":null,"new":1}}""",
            Answers = [("ETag", "\"2\"")],
            Has = [("/data/metadata", """{"new":1,"size":{"h":2,"w":1}}"""), ("/data/name", "sample")],
            Appends = ["resource.metadata_changed"],
        },
        new("merge three members", "PATCH", One, 200)
        {
            ContentType = Merge,
            Body = """{"name":"n","status":"s","metadata":null}""",
            Answers = [("ETag", "\"2\"")],
            Has = [("/data/version", "2"), ("/data/metadata", "{}")],
            Appends = ["resource.changed"],
        },
        new("patch", "PATCH", One, 200)
        {
            ContentType = Patch,
            Body =
                """[{"op":"test","path":"/metadata/color","value":"red"},{"op":"replace","path":"/name","value":"p"},{"op":"remove","path":"/metadata/size"}]""",
            Has = [("/data/name", "p"), ("/data/metadata", """{"color":"red"}""")],
            Appends = ["resource.changed"],
        },
        new("delete", "DELETE", One, 204) { Answers = [("ETag", null)], Appends = ["resource.deleted"] },
        new("delete the version that was read", "DELETE", One, 204)
        {
            Headers = [("If-Match", "\"1\"")],
            Appends = ["resource.deleted"],
        },
        new("delete again", "DELETE", One, 204) { Given = Given.Deleted },
        new("restore", "POST", One + "/restore", 200)
        {
            Given = Given.Deleted,
            Answers = [("ETag", "\"3\"")],
            Has = [("/data/deletedAt", "null"), ("/data/name", "sample")],
            Appends = ["resource.restored"],
        },
        new("restore a live one", "POST", One + "/restore", 200)
        {
            Answers = [("ETag", "\"1\"")],
            Has = [("/data/version", "1")],
        },
        new("replace by the same", "PUT", One, 200)
        {
            Body = """{"metadata":{"size":{"h":2,"w":1.0},"color":"r\u0065d"},"name":"sample"}""",
            Headers = [("If-Match", "\"1\"")],
            Answers = [("ETag", "\"1\"")],
            Has = [("/data/version", "1")],
        },
        new("merge nothing", "PATCH", One, 200)
        {
            ContentType = Merge,
            Body = "{}",
            Answers = [("ETag", "\"1\"")],
        },
        new("merge what is there", "PATCH", One, 200)
        {
            ContentType = Merge,
            Body = """{"name":"sample","metadata":{"color":"red","gone":null}}""",
            Answers = [("ETag", "\"1\"")],
        },
        new("patch nothing", "PATCH", One, 200)
        {
            ContentType = Patch,
            Body = "[]",
            Answers = [("ETag", "\"1\"")],
        },
        new("patch there and back", "PATCH", One, 200)
        {
            ContentType = Patch,
            Body =
                """[{"op":"move","from":"/metadata/color","path":"/metadata/x"},{"op":"move","from":"/metadata/x","path":"/metadata/color"}]""",
            Answers = [("ETag", "\"1\"")],
        },
    ];

    static readonly Scenario[] Refusals =
    [
        new("get a missing one", "GET", One, 404) { Given = Given.Missing, Code = "RESOURCE_NOT_FOUND" },
        new("get a deleted one", "GET", One, 410)
        {
            Given = Given.Deleted,
            Code = "RESOURCE_DELETED",
            Answers = [("ETag", null)],
        },
        new("head a missing one", "HEAD", One, 404) { Given = Given.Missing },
        new("head a deleted one", "HEAD", One, 410) { Given = Given.Deleted },
        new("get a version that is not", "GET", One + "?version=2", 404) { Code = "VERSION_NOT_FOUND" },
        new("get the deleted version", "GET", One + "?version=2", 410)
        {
            Given = Given.Deleted,
            Code = "RESOURCE_DELETED",
        },
        new("get version 0", "GET", One + "?version=0", 400) { Code = "VALIDATION_FAILED", Faults = ["?version"] },
        new("get a version in words", "GET", One + "?version=one", 400)
        {
            Code = "VALIDATION_FAILED",
            Faults = ["?version"],
        },
        new("get version and time", "GET", One + "?version=1&at=2026-01-01T00:00:00Z", 400)
        {
            Code = "VALIDATION_FAILED",
            Faults = ["?at"],
        },
        new("get an unknown field", "GET", One + "?fields=name,nick", 400)
        {
            Code = "VALIDATION_FAILED",
            Faults = ["?fields"],
        },
        new("history of a missing one", "GET", One + "/events", 404)
        {
            Given = Given.Missing,
            Code = "RESOURCE_NOT_FOUND",
        },
        new("create nothing", "POST", "/api/v1/resources", 400)
        {
            Body = "",
            Code = "VALIDATION_FAILED",
            Faults = [""],
        },
        new("create with all faults at once", "POST", "/api/v1/resources", 400)
        {
            Body = """{"name":7,"status":"No Slug","metadata":null,"id":"x","version":1}""",
            Code = "VALIDATION_FAILED",
            Faults = ["/name", "/status", "/metadata", "/id", "/version"],
        },
        new("create with a list", "POST", "/api/v1/resources", 400) { Body = "[]", Code = "VALIDATION_FAILED" },
        new("replace without a version", "PUT", One, 428)
        {
            Body = """{"name":"other"}""",
            Code = "PRECONDITION_REQUIRED",
        },
        new("replace a stale version", "PUT", One, 412)
        {
            Given = Given.Changed,
            Body = """{"name":"other"}""",
            Headers = [("If-Match", "\"1\"")],
            Code = "VERSION_MISMATCH",
            Answers = [("ETag", "\"2\"")],
        },
        new("replace with another type", "PUT", One, 400)
        {
            Body = """{"name":"other","type":"car"}""",
            Headers = [("If-Match", "\"1\"")],
            Code = "VALIDATION_FAILED",
            Faults = ["/type"],
        },
        new("replace a missing one", "PUT", One, 404)
        {
            Given = Given.Missing,
            Body = """{"name":"other"}""",
            Headers = [("If-Match", "*")],
            Code = "RESOURCE_NOT_FOUND",
        },
        new("replace a deleted one", "PUT", One, 410)
        {
            Given = Given.Deleted,
            Body = """{"name":"other"}""",
            Headers = [("If-Match", "\"2\"")],
            Code = "RESOURCE_DELETED",
        },
        new("patch a missing one", "PATCH", One, 404)
        {
            Given = Given.Missing,
            ContentType = Merge,
            Body = "{}",
            Code = "RESOURCE_NOT_FOUND",
        },
        new("patch a deleted one", "PATCH", One, 410)
        {
            Given = Given.Deleted,
            ContentType = Merge,
            Body = """{"name":"x"}""",
            Code = "RESOURCE_DELETED",
        },
        new("patch a stale version", "PATCH", One, 412)
        {
            Given = Given.Changed,
            ContentType = Merge,
            Body = """{"name":"x"}""",
            Headers = [("If-Match", "\"1\"")],
            Code = "VERSION_MISMATCH",
            Answers = [("ETag", "\"2\"")],
        },
        new("merge null into the name", "PATCH", One, 400)
        {
            ContentType = Merge,
            Body = """{"name":null}""",
            Code = "VALIDATION_FAILED",
            Faults = ["/name"],
        },
        new("merge a member that is not ours", "PATCH", One, 400)
        {
            ContentType = Merge,
            Body = """{"owner":"me","version":3}""",
            Code = "VALIDATION_FAILED",
            Faults = ["/owner", "/version"],
        },
        new("a failed test", "PATCH", One, 409)
        {
            ContentType = Patch,
            Body =
                """[{"op":"replace","path":"/name","value":"p"},{"op":"test","path":"/metadata/color","value":"blue"}]""",
            Code = "PATCH_TEST_FAILED",
        },
        new("an operation that cannot apply", "PATCH", One, 422)
        {
            ContentType = Patch,
            Body = """[{"op":"remove","path":"/metadata/none"}]""",
            Code = "PATCH_NOT_APPLICABLE",
            Faults = ["/0"],
        },
        new("a forbidden path", "PATCH", One, 400)
        {
            ContentType = Patch,
            Body = """[{"op":"test","path":"/name","value":"no"},{"op":"replace","path":"/owner","value":"me"}]""",
            Code = "VALIDATION_FAILED",
            Faults = ["/1"],
        },
        new("an operation without a path", "PATCH", One, 400)
        {
            ContentType = Patch,
            Body = """[{"op":"add","value":1},{"op":"fly","path":"/name"}]""",
            Code = "VALIDATION_FAILED",
            Faults = ["/0/path", "/1/op"],
        },
        new("patch the name away", "PATCH", One, 400)
        {
            ContentType = Patch,
            Body = """[{"op":"remove","path":"/name"}]""",
            Code = "VALIDATION_FAILED",
            Faults = ["/name"],
        },
        new("delete a missing one", "DELETE", One, 404) { Given = Given.Missing, Code = "RESOURCE_NOT_FOUND" },
        new("delete a stale version", "DELETE", One, 412)
        {
            Given = Given.Changed,
            Headers = [("If-Match", "\"1\"")],
            Code = "VERSION_MISMATCH",
            Answers = [("ETag", "\"2\"")],
        },
        new("restore a missing one", "POST", One + "/restore", 404)
        {
            Given = Given.Missing,
            Code = "RESOURCE_NOT_FOUND",
        },
        new("restore a stale version", "POST", One + "/restore", 412)
        {
            Given = Given.Deleted,
            Headers = [("If-Match", "\"1\"")],
            Code = "VERSION_MISMATCH",
            Answers = [("ETag", "\"2\"")],
        },
        new("list with bad parameters", "GET", "/api/v1/resources?limit=0&type=No&cursor=x&fields=nick", 400)
        {
            Code = "VALIDATION_FAILED",
            Faults = ["?type", "?limit", "?cursor", "?fields"],
        },
    ];

    [Theory, MemberData(nameof(Rows), DisableDiscoveryEnumeration = true)]
    public Task Request_gets_the_expected_response_and_appends_the_expected_events(Scenario row) =>
        row.RunAsync(backend);
}
