using System.Diagnostics;
using System.Text;
using System.Text.Json;
using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

public class StrictJsonTests
{
    [Theory]
    [InlineData("{}")]
    [InlineData(" [1, -0, 0.1, 1e300, \"x\", true, null] ")]
    [InlineData("\"text\"")]
    [InlineData("""{"a":{"a":1},"b":[{"a":1},{"a":1}]}""")]
    [InlineData("""{"a":1,"A":1}""")]
    [InlineData("""{"\ud834\udd1e":"\uD834\uDD1E 𝄞 \\u0000 \\ud800 \u0001"}""")]
    public void Clean_JSON_is_accepted(string json)
    {
        var faults = new List<Fault>();
        using var document = StrictJson.Read(TestJson.Bytes(json), faults);
        Assert.Empty(faults);
        Assert.True(TestJson.Same(TestJson.Parse(json), document!.RootElement));
    }

    [Theory]
    [InlineData("1e300", 296)]
    [InlineData("-2.5E-300", 295)]
    [InlineData("1.2345678901234567e+16", -5)]
    [InlineData("-0.00120e2", -4)]
    [InlineData("1e3", 1)]
    [InlineData("12345", 0)]
    [Trait("Conformance", "D4")]
    public void A_body_is_measured_as_the_store_writes_its_numbers(string number, int growth)
    {
        var most = (StrictJson.MaxStoredBytes - 1) / (number.Length + 1 + growth);
        var fits = $"[{string.Join(',', Enumerable.Repeat(number, most))}]";
        var tooLarge = $"[{string.Join(',', Enumerable.Repeat(number, most + 1))}]";

        using var read = StrictJson.Read(TestJson.Bytes(fits), []);
        Assert.NotNull(read);
        Assert.True(StrictJson.FitsStore(TestJson.Bytes(fits).Span));
        Assert.False(StrictJson.FitsStore(TestJson.Bytes(tooLarge).Span));

        // The plain size of a body is bounded where it is received.
        var faults = new List<Fault>();
        using var refused = StrictJson.Read(TestJson.Bytes(tooLarge), faults);
        Assert.Equal(growth > 0 ? [FaultCode.TooLarge] : [], faults.Select(fault => fault.Code));
    }

    [Theory]
    [InlineData("", " INVALID_JSON")]
    [InlineData(" ", " INVALID_JSON")]
    [InlineData("{} {}", " INVALID_JSON")]
    [InlineData("{}x", " INVALID_JSON")]
    [InlineData("[1,]", " INVALID_JSON")]
    [InlineData("[1 /* one */]", " INVALID_JSON")]
    [InlineData("{'a':1}", " INVALID_JSON")]
    [InlineData("[01]", " INVALID_JSON")]
    [InlineData("[1.]", " INVALID_JSON")]
    [InlineData("[NaN]", " INVALID_JSON")]
    [InlineData("[\"a\u0000b\"]", " INVALID_JSON")]
    [InlineData("[\"\\x\"]", " INVALID_JSON")]
    [InlineData("\uFEFF{}", " INVALID_JSON")]
    [InlineData("{\"a\":1", " INVALID_JSON")]
    [InlineData("""{"a":1,"a":1}""", "/a DUPLICATE_MEMBER")]
    [InlineData("""{"a":1,"\u0061":1}""", "/a DUPLICATE_MEMBER")]
    [InlineData("""{"\u0061":1,"b":{"b":1},"a":1}""", "/a DUPLICATE_MEMBER")]
    [InlineData("""{"m":[0,{"x":{},"y":[],"x":1}]}""", "/m/1/x DUPLICATE_MEMBER")]
    [InlineData("""{"a/b~":{"c":1,"c":2,"c":3}}""", "/a~1b~0/c DUPLICATE_MEMBER; /a~1b~0/c DUPLICATE_MEMBER")]
    [InlineData("""{"a":["x","\u0000"]}""", "/a/1 NUL_CHARACTER")]
    [InlineData("""{"m":{"a\u0000":1e999}}""", "/m NUL_CHARACTER; /m NUMBER_OUT_OF_RANGE")]
    [InlineData("""["\ud800"]""", "/0 LONE_SURROGATE")]
    [InlineData("""["\udc00\ud800"]""", "/0 LONE_SURROGATE")]
    [InlineData("""["\ud800\ud800\udc00"]""", "/0 LONE_SURROGATE")]
    [InlineData("""["\ud800x\udc00"]""", "/0 LONE_SURROGATE")]
    [InlineData("""{"\ud800":1}""", " LONE_SURROGATE")]
    [InlineData(
        """{"a":1,"a":"\u0000","b":1e400,""",
        "/a DUPLICATE_MEMBER; /a NUL_CHARACTER; /b NUMBER_OUT_OF_RANGE;  INVALID_JSON"
    )]
    [Trait("Conformance", "D3")]
    public void Every_error_is_reported_with_its_pointer(string json, string expected)
    {
        var faults = new List<Fault>();
        Assert.Null(StrictJson.Read(TestJson.Bytes(json), faults));
        Assert.Equal(expected, TestJson.Summary(faults));
    }

    [Fact]
    public void Syntax_error_reports_line_and_byte()
    {
        var faults = new List<Fault>();
        StrictJson.Read(TestJson.Bytes("{\n \"a\": x}"), faults);
        Assert.Equal("The body is not valid JSON at line 2, byte 7.", Assert.Single(faults).Detail);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'"', 0xFF, (byte)'"' }, "The body is not valid UTF-8 at byte 2.")]
    [InlineData(new byte[] { (byte)'"', 0xED, 0xA0, 0x80, (byte)'"' }, "The body is not valid UTF-8 at byte 2.")]
    [InlineData(new byte[] { (byte)'"', 0xC3 }, "The body is not valid UTF-8 at byte 2.")]
    [InlineData(new byte[] { (byte)'"', 0xC0, 0x80, (byte)'"' }, "The body is not valid UTF-8 at byte 2.")]
    [Trait("Conformance", "D2")]
    public void Invalid_UTF8_is_refused(byte[] body, string detail)
    {
        var faults = new List<Fault>();
        Assert.Null(StrictJson.Read(body, faults));
        Assert.Equal(new Fault("", "INVALID_UTF8", detail), Assert.Single(faults));
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(66, false)]
    [InlineData(5_000, false)]
    [InlineData(100_000, false)]
    [Trait("Conformance", "D4")]
    public void Nesting_over_64_levels_is_refused(int depth, bool accepted)
    {
        var faults = new List<Fault>();
        using var document = StrictJson.Read(TestJson.Bytes(new string('[', depth) + new string(']', depth)), faults);
        Assert.Equal(accepted, document is not null);
        Assert.Equal(
            accepted ? "" : string.Concat(Enumerable.Repeat("/0", 64)) + " TOO_DEEP",
            TestJson.Summary(faults)
        );
    }

    [Fact]
    [Trait("Conformance", "D4")]
    public void Megabyte_of_brackets_is_refused_quickly()
    {
        var body = TestJson.Bytes(new string('[', 1 << 20));
        var faults = new List<Fault>();
        var watch = Stopwatch.StartNew();
        Assert.Null(StrictJson.Read(body, faults));
        Assert.InRange(watch.ElapsedMilliseconds, 0, 100);
        Assert.Equal("TOO_DEEP", Assert.Single(faults).Code);
    }

    [Fact]
    [Trait("Conformance", "D4")]
    public void Hundred_thousand_members_are_compared_in_linear_time()
    {
        var members = string.Join(",", Enumerable.Range(0, 100_000).Select(i => $"\"m{i}\":{i}"));
        var watch = Stopwatch.StartNew();
        using var document = StrictJson.Read(TestJson.Bytes($"{{{members}}}"), []);
        Assert.NotNull(document);
        Assert.InRange(watch.ElapsedMilliseconds, 0, 2_000);

        var faults = new List<Fault>();
        Assert.Null(StrictJson.Read(TestJson.Bytes($"{{{members},\"m77777\":0}}"), faults));
        Assert.Equal("/m77777 DUPLICATE_MEMBER", TestJson.Summary(faults));
    }

    [Fact]
    public void At_most_a_hundred_errors_are_reported()
    {
        var faults = new List<Fault>();
        Assert.Null(
            StrictJson.Read(TestJson.Bytes($"[{string.Join(",", Enumerable.Repeat("1e999", 5_000))}]"), faults)
        );
        Assert.Equal(100, faults.Count);
        Assert.Equal("/99", faults[^1].Pointer);
    }

    [Fact]
    public void Overlong_pointer_stops_at_its_parent()
    {
        var faults = new List<Fault>();
        Assert.Null(
            StrictJson.Read(TestJson.Bytes($"{{\"a\":{{\"{new string('x', 100_000)}\":[1e999,1e999]}}}}"), faults)
        );
        Assert.Equal("/a NUMBER_OUT_OF_RANGE; /a NUMBER_OUT_OF_RANGE", TestJson.Summary(faults));
    }

    [Fact]
    public void JSON_that_the_platform_accepts_without_duplicates_is_accepted() =>
        TestJson.Value.Sample(json =>
        {
            using var expected = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            using var actual = StrictJson.Read(TestJson.Bytes(json), []);
            return actual is not null && TestJson.Same(expected.RootElement, actual.RootElement);
        });

    [Fact]
    public void Damaged_JSON_is_accepted_exactly_when_the_platform_accepts_it() =>
        Gen.Select(TestJson.Value, Gen.Int[0, 1_000], Gen.OneOf('"', '{', '}', '[', ']', ',', ':', ' ', '1', 'a'))
            .Sample(
                (json, at, damage) =>
                {
                    var damaged = json.Insert(at % (json.Length + 1), damage.ToString());
                    var faults = new List<Fault>();
                    using var actual = StrictJson.Read(TestJson.Bytes(damaged), faults);
                    return faults.Any(fault => fault.Code is FaultCode.NumberOutOfRange or FaultCode.LoneSurrogate)
                        || (actual is not null) == PlatformAccepts(damaged);
                }
            );

    [Fact]
    [Trait("Conformance", "D1")]
    [Trait("Conformance", "D2")]
    public void Text_is_clean_without_NUL_and_lone_surrogates()
    {
        // In one test: as its arguments, lone surrogates would not reach it unchanged.
        Assert.All(["", "é𝄞\u202E"], text => Assert.True(StrictJson.TextIsClean(text)));
        Assert.All(["a\0", "\uD834", "\uDD1E\uD834", "x\uD834\uDD1E\uDD1E"], text =>
            Assert.False(StrictJson.TextIsClean(text))
        );
    }

    [Fact]
    public void Length_counts_scalar_values() =>
        Gen.String[Gen.OneOf(Gen.Char, Gen.Char['\uD800', '\uDFFF']), 0, 20]
            .Sample(text =>
                StrictJson.ScalarLength(text) == Encoding.UTF32.GetByteCount(text) / 4
                && StrictJson.TextIsClean(text)
                    == (!text.Contains('\0') && Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text)
            );

    static bool PlatformAccepts(string json)
    {
        try
        {
            using var _ = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false });
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
