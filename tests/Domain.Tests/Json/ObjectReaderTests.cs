using Resources.Grains;

namespace Resources.Domain.Tests;

[Trait("Conformance", "D6")]
public class ObjectReaderTests
{
    [Fact]
    public void Members_are_bound()
    {
        var (bound, faults) = Bind(
            """{"name":"Café 𝄞","status":"in-review","metadata":{"a": 1},"roles":["root","user"]}"""
        );
        Assert.Empty(faults);
        Assert.Equal("Café 𝄞", bound.Name);
        Assert.Equal("in-review", bound.Status);
        Assert.Equal("""{"a":1}""", bound.Metadata!.ToString());
        Assert.Equal(["root", "user"], bound.Roles!);
    }

    [Fact]
    public void Optional_members_may_be_absent()
    {
        var (bound, faults) = Bind("""{"name":"n"}""");
        Assert.Empty(faults);
        Assert.Equal(("n", null, null, null), bound);
    }

    [Theory]
    [InlineData("{}", "/name REQUIRED")]
    [InlineData("[]", " WRONG_TYPE")]
    [InlineData("null", " WRONG_TYPE")]
    [InlineData(
        """{"name":null,"status":null,"metadata":null,"roles":null}""",
        "/name NULL_NOT_ALLOWED; /status NULL_NOT_ALLOWED; /metadata NULL_NOT_ALLOWED; /roles NULL_NOT_ALLOWED"
    )]
    [InlineData(
        """{"name":1,"status":true,"metadata":[],"roles":{}}""",
        "/name WRONG_TYPE; /status WRONG_TYPE; /metadata WRONG_TYPE; /roles WRONG_TYPE"
    )]
    [InlineData("""{"name":""}""", "/name TOO_SHORT")]
    [InlineData("""{"name":"123456789"}""", "/name TOO_LONG")]
    [InlineData("""{"name":"𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞"}""", "")]
    [InlineData("""{"name":"𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞𝄞"}""", "/name TOO_LONG")]
    [InlineData("""{"name":"n","status":"Active"}""", "/status INVALID_SLUG")]
    [InlineData(
        """{"name":"n","roles":["a",1,"",null,"12345"]}""",
        "/roles/1 WRONG_TYPE; /roles/2 TOO_SHORT; /roles/3 NULL_NOT_ALLOWED; /roles/4 TOO_LONG"
    )]
    [InlineData("""{"name":"n","roles":["a","b","c","d","e","f"]}""", "/roles TOO_LONG")]
    [InlineData("""{"name":"n","id":1,"a/b~":{}}""", "/id UNKNOWN_MEMBER; /a~1b~0 UNKNOWN_MEMBER")]
    [InlineData("""{"Name":"n"}""", "/name REQUIRED; /Name UNKNOWN_MEMBER")]
    public void Every_error_is_reported_with_its_pointer(string json, string expected) =>
        Assert.Equal(expected, TestJson.Summary(Bind(json).Faults));

    [Fact]
    public void Errors_of_a_nested_object_start_with_its_pointer()
    {
        var faults = new List<Fault>();
        var reader = new ObjectReader(TestJson.Parse("""{"x":1}"""), faults, "/operations/3");
        reader.Text("name", 1, 8);
        reader.RefuseOthers();
        Assert.Equal("/operations/3/name REQUIRED; /operations/3/x UNKNOWN_MEMBER", TestJson.Summary(faults));
    }

    [Fact]
    public void At_most_a_hundred_errors_are_reported()
    {
        var json = $"{{{string.Join(",", Enumerable.Range(0, 10_000).Select(i => $"\"m{i}\":0"))}}}";
        Assert.Equal(100, Bind(json).Faults.Count);
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("0", true)]
    [InlineData("in-review", true)]
    [InlineData("a.b_c-d", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a-", false)]
    [InlineData(".", false)]
    [InlineData("a--b", false)]
    [InlineData("a-_b", false)]
    [InlineData("A", false)]
    [InlineData("é", false)]
    [InlineData("a b", false)]
    [InlineData("a\n", false)]
    [InlineData("٣", false)]
    public void Slug_is_lower_case_words_joined_by_single_separators(string text, bool valid) =>
        Assert.Equal(valid, Slug.IsValid(text));

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void Slug_has_at_most_64_characters(int length, bool valid) =>
        Assert.Equal(valid, Slug.IsValid(new string('a', length)));

    static (
        (string? Name, string? Status, JsonText? Metadata, IReadOnlyList<string>? Roles) Bound,
        List<Fault> Faults
    ) Bind(string json)
    {
        var faults = new List<Fault>();
        var body = new ObjectReader(TestJson.Parse(json), faults);
        var bound = (
            body.Text("name", min: 1, max: 8),
            body.Slug("status", optional: true),
            body.Object("metadata", optional: true),
            body.Strings("roles", max: 4, most: 5, optional: true)
        );
        body.RefuseOthers();
        return (bound, faults);
    }
}
