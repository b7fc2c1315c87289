using System.Text.Json;

namespace Resources.Domain.Tests;

/// <summary>Regular expressions of ECMA 262 with the flag u.</summary>
public class PatternTests
{
    [Theory]
    [InlineData("", "|a", null)]
    [InlineData("abc", "abc|xabcx", "ab|ABC")]
    [InlineData("^abc$", "abc", "abc\n|xabc")]
    [InlineData("a|b|", "a|c", null)]
    [InlineData("^(a|bc|)d$", "ad|bcd|d", "abcd|c")]
    [InlineData("^a*$", "|aaa", "ab")]
    [InlineData("^a+?$", "a|aa", "")]
    [InlineData("^a?b$", "b|ab", "aab")]
    [InlineData("^a{2}$", "aa", "a|aaa")]
    [InlineData("^a{2,}$", "aa|aaaa", "a")]
    [InlineData("^a{1,3}?$", "a|aaa", "|aaaa")]
    [InlineData("^a{0}$", "", "a")]
    [InlineData("^(?:ab){0,2}$", "|ab|abab", "ababab")]
    [InlineData("^(a*)*$", "|aaa", "b")]
    [InlineData("^(a?){3}$", "|aaa", "aaaa")]
    [InlineData("^(|a)+$", "|aa", "b")]
    [InlineData("^(?<year>[0-9]{4})-(?<month>[0-9]{2})$", "2024-01", "24-01")]
    [InlineData("^.$", "a|é|𝄞|\u0085", "\n|\r|\u2028|\u2029|ab")]
    [InlineData(@"^\d$", "0|9", "٠|a")]
    [InlineData(@"^\D$", "٠|a", "0")]
    [InlineData(@"^\w$", "a|Z|_|5", "é|-")]
    [InlineData(@"^\W$", "é|-", "a")]
    [InlineData(@"^\s$", " |\t|\v|\u00a0|\ufeff|\u2029|\u3000", "a|\u200b|\u0085")]
    [InlineData(@"^\S$", "a|\u0085", " |\u00a0")]
    [InlineData(@"\bab\b", "ab|x ab!|éab", "xab|ab_")]
    [InlineData(@"^\Ba", null, "a|ba")]
    [InlineData(@"a\Bb", "ab", "a b")]
    [InlineData(@"(^|-)a", "a|b-a", "ba")]
    [InlineData(@"a($|-)", "a|a-b", "ab")]
    [InlineData("^[a-c]$", "a|c", "d|-")]
    [InlineData("^[^a-c]$", "d|\n|𝄞", "b")]
    [InlineData("^[-a]$", "-|a", "b")]
    [InlineData("^[a-]$", "-|a", "b")]
    [InlineData(@"^[\d\-x]$", "1|-|x", "a")]
    [InlineData(@"^[^\s\S]$", null, "a|1")]
    [InlineData("^[]$", null, "|a")]
    [InlineData("^[^]$", "a|\n", "")]
    [InlineData(@"^[\b]$", "\b", "b")]
    [InlineData(@"^[\p{L}\p{Nd}_]$", "é|٠|_|中", "-|²")]
    [InlineData(@"^[^\p{L}]$", "1|²", "é")]
    [InlineData(@"^\p{Letter}$", "é|ǅ", "1")]
    [InlineData(@"^\P{L}$", "1", "é")]
    [InlineData(@"^\p{General_Category=Uppercase_Letter}$", "É", "é")]
    [InlineData(@"^\p{gc=Nd}$", "৪", "a")]
    [InlineData(@"^\p{LC}$", "a|A|ǅ", "中|ʰ")]
    [InlineData(@"^\p{punct}$", "!|—|«", "a|$")]
    [InlineData(@"^\p{Any}\p{ASCII}\p{Assigned}$", "éaé", "éé")]
    [InlineData(@"^\p{Cn}$", "\u0378", "a")]
    [InlineData(@"^\p{Cs}$", null, "a")]
    [InlineData(@"^\t\n\v\f\r\0\cA\x41\u00e9$", "\t\n\v\f\r\0\u0001Aé", "x")]
    [InlineData(@"^\u{1D11E}\uD834\uDD1E$", "𝄞𝄞", "x")]
    [InlineData(@"^\^\$\\\.\*\+\?\(\)\[\]\{\}\/$", @"^$\.*+?()[]{}/", "x")]
    [InlineData("^[𝄞-𝄢]$", "𝄡", "𝄣")]
    [InlineData("^𝄞{2}$", "𝄞𝄞", "𝄞")]
    [InlineData("^(([a-z]{1,3}\\.){2,4}|x)y$", "a.bc.y|xy|a.b.c.d.y", "a.y|abcd.e.y|a.b.c.d.e.y")]
    public void Pattern_is_found(string pattern, string? found, string? notFound)
    {
        var schema = TestSchema.Of($$"""{"pattern":{{Json(pattern)}}}""");
        foreach (var text in found?.Split('|') ?? [])
            Assert.True(schema.Accepts(JsonSerializer.SerializeToElement(text)), text);
        foreach (var text in notFound?.Split('|') ?? [])
            Assert.False(schema.Accepts(JsonSerializer.SerializeToElement(text)), text);
    }

    [Theory]
    [InlineData("(?=a)")]
    [InlineData("(?!a)")]
    [InlineData("(?<=a)b")]
    [InlineData("(?<!a)b")]
    [InlineData(@"(a)\1")]
    [InlineData(@"(?<n>a)\k<n>")]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a**")]
    [InlineData("^*")]
    [InlineData(@"\b+")]
    [InlineData("a{2,1}")]
    [InlineData("a{")]
    [InlineData("{1}")]
    [InlineData("a{1")]
    [InlineData("a}")]
    [InlineData("a]")]
    [InlineData(@"\a")]
    [InlineData(@"\-")]
    [InlineData(@"\Z")]
    [InlineData(@"\01")]
    [InlineData(@"\1")]
    [InlineData(@"\x4")]
    [InlineData(@"\u12")]
    [InlineData(@"\u{110000}")]
    [InlineData(@"\c1")]
    [InlineData(@"\")]
    [InlineData("[b-a]")]
    [InlineData(@"[\d-z]")]
    [InlineData(@"[a-\w]")]
    [InlineData(@"\p{Foo}")]
    [InlineData(@"\pL")]
    [InlineData(@"\p{gc=Any}")]
    [InlineData("(?i)a")]
    [InlineData("(?i:a)")]
    [InlineData("(?P<n>a)")]
    [InlineData("(?<n>a)(?<n>b)")]
    [InlineData("(?<1>a)")]
    [InlineData("(?<n")]
    [InlineData(@"(?<n>a)\k<m>")]
    [InlineData("(a{1000}){1000}")]
    [InlineData("((((a{9}){9}){9}){9}){9}")]
    [InlineData("(a|b){5000}")]
    [InlineData("a{99999999999999999999}")]
    public void Pattern_is_refused(string pattern) =>
        Assert.Equal("/pattern UNSUPPORTED_PATTERN", TestSchema.Faults($$"""{"pattern":{{Json(pattern)}}}"""));

    [Fact]
    public void Deep_groups_are_refused() =>
        Assert.Equal(
            "/pattern UNSUPPORTED_PATTERN",
            TestSchema.Faults($$"""{"pattern":"{{new string('(', 400)}}a{{new string(')', 400)}}"}""")
        );

    [Fact]
    public void Repetition_of_nothing_is_free() =>
        Assert.True(TestSchema.Of("""{"pattern":"^(){99999}(a{0}){99999,}$"}""").Accepts("\"\""));

    static string Json(string text) => JsonSerializer.Serialize(text);
}
