using System.Text.Json;

namespace Resources.Domain.Tests;

/// <summary>Each format by what it takes and what it does not; | stands between the texts.</summary>
public class FormatTests
{
    [Theory]
    [InlineData(
        "date",
        "2024-02-29|0000-02-29|9999-12-31|2000-02-29",
        "2023-02-29|1900-02-29|2024-13-01|2024-00-01|2024-04-31|2024-4-1|24-01-01|2024-01-01Z|"
            + "٢024-01-01|2024-01-0a||+024-01-01"
    )]
    [InlineData(
        "time",
        "00:00:00Z|23:59:59.999999+23:59|12:00:00z|23:59:60Z|15:59:60-08:00|00:29:60+00:30",
        "24:00:00Z|12:60:00Z|12:00:61Z|12:00:00|12:00Z|12:00:00.Z|12:00:00+24:00|12:00:00+01|"
            + "22:59:60Z|12:00:00,5Z|1:00:00Z"
    )]
    [InlineData(
        "date-time",
        "2024-02-29T12:00:00Z|2024-02-29t12:00:00.5-01:30|1998-12-31T23:59:60Z",
        "2024-02-30T12:00:00Z|2024-02-29 12:00:00Z|2024-02-29T12:00:00|2024-02-29|T12:00:00Z|" + "2024-02-29TT2:00:00Z"
    )]
    [InlineData(
        "duration",
        "P1Y2M3DT4H5M6S|P1W|PT1S|P1D|P01Y|PT1H2M|P2MT3M",
        "P|PT|P1|1D|P1YT|P1Y2D|PT1H2S|P1D1W|P1S|PT1D|P-1D|PT1.5S|P1W2D|p1d|P1D "
    )]
    [InlineData(
        "email",
        "a@b.example|a.b+c@b-c.example|\"a b@\\\"\"@b.example|a@[1.2.3.4]|a@[IPv6:::1]|a@b",
        "a|@b.example|a@|a@@b.example|.a@b.example|a.@b.example|a..b@b.example|a b@c.example|"
            + "a@-b.example|a@b_c.example|\"a\"b\"@c.example|\"a\\\"@c.example|a@[1.2.3]|é@b.example|"
            + "a@b.example."
    )]
    [InlineData("idn-email", "é@b.example|a@münchen.example|\"é\"@b.example|a@b", "a|é@|@é|é é@b.example|a@-é.example")]
    [InlineData(
        "hostname",
        "a|a.b-c.1d|xn--bcher-kva.example|XN--BCHER-KVA|1.2",
        "|-a|a-|a..b|.a|a.|a_b|é|xn--|xn--a|xn--a-|a b"
    )]
    [InlineData(
        "idn-hostname",
        "bücher.example|a|例え。テスト|l·l|क्\u200dष|בא|۰0",
        "|-é|é-|é..a|a·l|ａ|É|·|ab--é|\u0301a|٠۰|aא|0ا|a_b|א0٠|e\u0301"
    )]
    [InlineData(
        "ipv4",
        "0.0.0.0|255.255.255.255|1.2.3.4",
        "256.0.0.0|1.2.3|1.2.3.4.5|01.2.3.4|1.2.3.|1.2.3.+4|0x1.2.3.4|٠.0.0.0|1.2.3.4 ||1.2.3.4/8"
    )]
    [InlineData(
        "ipv6",
        "::|::1|1::|1:2:3:4:5:6:7:8|1::8|::ffff:1.2.3.4|1:2:3:4:5:6:1.2.3.4|ABCD::|1:2:3:4:5:6:7::",
        ":|:::|1|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|1::2::3|12345::|g::|::1.2.3|1.2.3.4::|::1%eth0|"
            + "1:2:3:4:5:6:7:1.2.3.4|[::1]|:1:2:3:4:5:6:7:8|1:2:3:4::5:6:7:8"
    )]
    [InlineData(
        "uri",
        "http://a.example/b?c=d#e|urn:a:b|mailto:a@b|a:|http://[::1]:80/|http://[v1.a]/|"
            + "http://u:p@h/|file:///a|a+b-c.1:x|http://a/%C3%A9",
        "/a||a|//a|1a:b|http://a b|http://é/|http://a/%4|http://a:b/|http://[::1|http://[a]/|"
            + "a:b#c#d|http://a/[|http://a\\b|a_b:c|http://a@b@c/"
    )]
    [InlineData("uri-reference", "http://a|/a|//a/b||a|?b|#c|./a:b|../a|a/b:c", "a b|a:b:[|1:b|\\\\a|#a#b|é|%zz")]
    [InlineData(
        "iri",
        "http://é.example/é?é#é|http://a/𐀀|http://a/?\ue000",
        "/é|http://a b|http://a/\ue000|http://a/#\ue000|http://a/\ufffe|é:a"
    )]
    [InlineData("iri-reference", "é|/é|#é|//é", "a b|\\\\é|\u0085")]
    [InlineData(
        "uri-template",
        "|a|{a}|{+a,b*,c:3}|{?a.b}|{%41}|é{a}%41|http://a/{a}{/b}",
        "{|}|{}|{a|a}|{a,}|{,a}|{a:0}|{a:12345}|{a b}|{a..b}|{.}|{@a}|%4|a b|<|{a:3*}|{{a}}"
    )]
    [InlineData(
        "uuid",
        "2eb8aa08-aa98-11ea-b4aa-73b441d16380|2EB8AA08-AA98-11EA-B4AA-73B441D16380|"
            + "00000000-0000-0000-0000-000000000000",
        "2eb8aa08-aa98-11ea-b4aa-73b441d1638|2eb8aa08aa9811eab4aa73b441d16380|"
            + "2eb8aa08-aa98-11ea-b4aa-73b441d1638g|{2eb8aa08-aa98-11ea-b4aa-73b441d16380}|"
            + "2eb8aa0-8aa98-11ea-b4aa-73b441d16380|"
    )]
    [InlineData("json-pointer", "|/|/a~0b~1c|/é/0/-", "a|#|/~|/~2|/a~")]
    [InlineData("relative-json-pointer", "0|12/a|0#|1/~0|0/", "|01|-1|/a|#|0##|0a|1#/a|0/~")]
    [InlineData("regex", "^a|(?=a)|(a)\\1|[a-z]{2,3}|\\p{L}", "(a|[b-a]|*|\\a|a{2,1}")]
    public void Format_takes_and_refuses(string format, string taken, string refused)
    {
        var schema = TestSchema.Of($$"""{"format":"{{format}}"}""");
        foreach (var text in taken.Split('|'))
            Assert.True(schema.Accepts(JsonSerializer.SerializeToElement(text)), text);
        foreach (var text in refused.Split('|'))
            Assert.False(schema.Accepts(JsonSerializer.SerializeToElement(text)), text);
        Assert.True(schema.Accepts("1"));
    }

    [Fact]
    public void Long_host_name_is_refused()
    {
        var schema = TestSchema.Of("""{"format":"hostname"}""");
        var label = new string('a', 63);
        Assert.True(schema.Accepts($"\"{label}.{label}.{label}.{label[..61]}\""));
        Assert.False(schema.Accepts($"\"{label}.{label}.{label}.{label[..62]}\""));
        Assert.False(schema.Accepts($"\"{label}a\""));
        Assert.False(TestSchema.Of("""{"format":"idn-hostname"}""").Accepts($"\"{new string('ü', 60)}\""));
    }

    [Fact]
    public void Regular_expression_is_at_most_as_long_as_a_pattern()
    {
        var schema = TestSchema.Of("""{"format":"regex"}""");
        Assert.True(schema.Accepts($"\"{new string('a', 1_000)}\""));
        Assert.False(schema.Accepts($"\"{new string('a', 1_001)}\""));
    }
}
