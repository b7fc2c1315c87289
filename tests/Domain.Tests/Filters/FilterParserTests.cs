using System.Diagnostics;
using Resources.Projections;
using static Resources.Domain.Tests.FilterNotation;

namespace Resources.Domain.Tests;

/// <summary>The meaning of filters.</summary>
public class FilterParserTests
{
    const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";

    [Theory]
    [InlineData("a", "any(a)")]
    [InlineData("a b", "[any(a) & any(b)]")]
    [InlineData("a AND b", "[any(a) & any(b)]")]
    [InlineData("a OR b", "[any(a) | any(b)]")]
    [InlineData("a AND b OR c AND d", "[[any(a) & [any(b) | any(c)]] & any(d)]")]
    [InlineData("a b OR c d", "[[any(a) & [any(b) | any(c)]] & any(d)]")]
    [InlineData("a b AND c d", "[[any(a) & any(b)] & [any(c) & any(d)]]")]
    [InlineData("(a AND b) OR c", "[[any(a) & any(b)] | any(c)]")]
    [InlineData("a OR b OR c", "[[any(a) | any(b)] | any(c)]")]
    [InlineData("a OR (b OR c)", "[any(a) | [any(b) | any(c)]]")]
    [InlineData("NOT a OR b", "[!any(a) | any(b)]")]
    [InlineData("-a b", "[!any(a) & any(b)]")]
    [InlineData("NOT (a OR b)", "![any(a) | any(b)]")]
    [InlineData("-(a b)", "![any(a) & any(b)]")]
    [InlineData("NOT(a)AND(b)OR(c)", "[!any(a) & [any(b) | any(c)]]")]
    [InlineData("NOT (NOT a)", "!!any(a)")]
    [InlineData("(((a)))", "any(a)")]
    [InlineData("( a )( b )", "[any(a) & any(b)]")]
    [InlineData("\t a \r\n b ", "[any(a) & any(b)]")]
    public void OR_binds_tighter_than_AND_and_juxtaposition_means_AND(string text, string expected) =>
        Assert.Equal(expected, Read(text));

    [Theory]
    [InlineData("Faust", "any(faust)")]
    [InlineData("\"Goethe's Faust, 1808\"", "any(goethe s faust 1808)")]
    [InlineData("foo-bar,baz", "any(foo,bar,baz)")]
    [InlineData("foo.bar", "any(foo,bar)")]
    [InlineData("12.5", "any(12,5)")]
    [InlineData("...ende.", "any(ende)")]
    [InlineData("a a A", "[[any(a) & any(a)] & any(a)]")]
    [InlineData("\"a A a\"", "any(a a a)")]
    [InlineData("\"johann\"", "any(johann)")]
    [InlineData("\"johann wolf\"", "any(johann wolf)")]
    [InlineData("\"johann \\\"wolf\\\"\"", "any(johann wolf)")]
    [InlineData("johann.\"wolf von\"", "any(johann,wolf,von)")]
    [InlineData("NOT \"a b\" OR (\"c d\" e)", "[!any(a b) | [any(c d) & any(e)]]")]
    [InlineData("-5", "!any(5)")]
    [InlineData("name", "any(name)")]
    [InlineData("metadata", "any(metadata)")]
    [InlineData("and or not", "[[any(and) & any(or)] & any(not)]")]
    [InlineData("ANDy ORb NOT.x", "[[any(andy) & any(orb)] & any(not,x)]")]
    [InlineData("\"AND\"", "any(and)")]
    [InlineData("\"metadata.price\"", "any(metadata price)")]
    [InlineData("hello!", "any(hello)")]
    [InlineData("O'Brien", "any(o,brien)")]
    public void Bare_value_is_a_search_for_its_words(string text, string expected) =>
        Assert.Equal(expected, Read(text));

    [Theory]
    [InlineData("type=book", "Type = \"book\"")]
    [InlineData("type = \"book\"", "Type = \"book\"")]
    [InlineData("\"type\":book", "Type = \"book\"")]
    [InlineData("status!=draft", "Status != \"draft\"")]
    [InlineData("name<=\"M\"", "Name <= \"M\"")]
    [InlineData("name > Ma", "Name > \"Ma\"")]
    [InlineData("owner>=x", "Owner >= \"x\"")]
    [InlineData("createdBy < y", "CreatedBy < \"y\"")]
    [InlineData("updatedBy=\"\"", "UpdatedBy = \"\"")]
    [InlineData("name = Fau*", "Name = \"Fau*\"")]
    [InlineData("name = \"F\\*u*\\\"\\\\\"", "Name = \"F\\*u*\"\\\\\"")]
    [InlineData("name < \"a*\\*\"", "Name < \"a\\*\\*\"")]
    [InlineData("type:b*", "Type = \"b*\"")]
    [InlineData("type:*", "Type?")]
    [InlineData("type:\"*\"", "Type = \"*\"")]
    [InlineData("type=*", "Type = \"*\"")]
    [InlineData("name:Faust", "name(faust)")]
    [InlineData("name:\"Faust, der Tragödie*\"", "name(faust der tragödie)")]
    [InlineData("name:*", "Name?")]
    [InlineData("id=" + Id, "Id = " + Id)]
    [InlineData("id:\"" + Id + "\"", "Id = " + Id)]
    [InlineData("id!=" + Id, "Id != " + Id)]
    [InlineData("version>=3", "Version >= #3")]
    [InlineData("version:0", "Version = #0")]
    [InlineData("version:*", "Version?")]
    [InlineData("createdAt>=2026-01-31T12:00:00Z", "CreatedAt >= 2026-01-31T12:00:00Z")]
    [InlineData("createdAt:\"2026-01-31t12:00:00.1234567891+02:00\"", "CreatedAt = 2026-01-31T10:00:00.123456Z")]
    [InlineData("updatedAt<\"2026-01-31T12:00:00 02:00\"", "UpdatedAt < 2026-01-31T10:00:00Z")]
    [InlineData("deletedAt:*", "DeletedAt?")]
    [InlineData("NOT deletedAt:*", "!DeletedAt?")]
    public void Field_accepts_values_of_its_type(string text, string expected) => Assert.Equal(expected, Read(text));

    [Theory]
    [InlineData("metadata.a=5", "/a = 5")]
    [InlineData("metadata.a=-0.50e+1", "/a = -0.50e+1")]
    [InlineData("metadata.a=\"5\"", "/a = \"5\"")]
    [InlineData("metadata.a=05", "/a = \"05\"")]
    [InlineData("metadata.a=5.", "/a = \"5.\"")]
    [InlineData("metadata.a=+5", "/a = \"+5\"")]
    [InlineData("metadata.a=true", "/a = true")]
    [InlineData("metadata.a!=false", "/a != false")]
    [InlineData("metadata.a:null", "/a : null")]
    [InlineData("metadata.a=\"null\"", "/a = \"null\"")]
    [InlineData("metadata.a=True", "/a = \"True\"")]
    [InlineData("metadata.a=x*", "/a = \"x*\"")]
    [InlineData("metadata.a<x*", "/a < \"x\\*\"")]
    [InlineData("metadata.a>=9.50", "/a >= 9.50")]
    [InlineData("metadata.a:*", "/a?")]
    [InlineData("metadata.a=*", "/a = \"*\"")]
    [InlineData("metadata.a:\"*\"", "/a : \"*\"")]
    [InlineData("metadata:key", "/key?")]
    [InlineData("metadata:\"odd/key*\"", "/odd~1key*?")]
    [InlineData("metadata:*", "?")]
    [InlineData("metadata.a.b.c:x", "/a/b/c : \"x\"")]
    [InlineData("metadata.\"odd \\\"key\\\"\".x:y", "/odd \"key\"/x : \"y\"")]
    [InlineData("metadata.\"\" = 1", "/ = 1")]
    [InlineData("metadata.\"a.b\" = 1", "/a.b = 1")]
    [InlineData("metadata.AND.OR.NOT = 1", "/AND/OR/NOT = 1")]
    [InlineData("metadata.0 = 1", "/0 = 1")]
    [InlineData("metadata.type = 1", "/type = 1")]
    [InlineData("metadata.a/b~ = 1", "/a~1b~0 = 1")]
    [InlineData("\"metadata\".a = 1", "/a = 1")]
    public void Metadata_value_has_the_type_of_its_spelling(string text, string expected) =>
        Assert.Equal(expected, Read(text));

    [Theory]
    [InlineData("status=(draft OR active)", "[Status = \"draft\" | Status = \"active\"]")]
    [InlineData(
        "status != ( draft AND active OR x )",
        "[Status != \"draft\" & [Status != \"active\" | Status != \"x\"]]"
    )]
    [InlineData("name:(a b)", "[name(a) & name(b)]")]
    [InlineData("name:(\"a b\" OR c-d)", "[name(a b) | name(c,d)]")]
    [InlineData("status=(NOT draft)", "!Status = \"draft\"")]
    [InlineData("status=(-draft -\"x\" -(y))", "[[!Status = \"draft\" & !Status = \"x\"] & !Status = \"y\"]")]
    [InlineData("NOT status=(a OR b)", "![Status = \"a\" | Status = \"b\"]")]
    [InlineData("metadata.n=(-5 OR NOT -6 OR - 7)", "28 A '-' stands directly before what it negates.")]
    [InlineData("metadata.n=(-5 OR NOT -6)", "[/n = -5 | !/n = -6]")]
    [InlineData("metadata.n:((1 OR 2) *)", "[[/n : 1 | /n : 2] & /n?]")]
    [InlineData("metadata:(a OR b)", "[/a? | /b?]")]
    [InlineData("status=(draft)x", "[Status = \"draft\" & any(x)]")]
    public void Values_in_parentheses_share_the_comparison(string text, string expected) =>
        Assert.Equal(expected, Read(text));

    [Theory]
    [InlineData("metadata.a = -5 b", "[/a = -5 & any(b)]")]
    [InlineData("status = -draft", "Status = \"-draft\"")]
    [InlineData("name = a=b:c<d", "Name = \"a=b:c<d\"")]
    [InlineData("name = https://example.com/?q", "Name = \"https://example.com/?q\"")]
    [InlineData("(name = a)", "Name = \"a\"")]
    [InlineData("name = O'Brien", "Name = \"O'Brien\"")]
    [InlineData("name = a.b.c", "Name = \"a.b.c\"")]
    [InlineData("name=é😀", "Name = \"é😀\"")]
    public void Unquoted_value_ends_at_white_space_or_a_closing_parenthesis(string text, string expected) =>
        Assert.Equal(expected, Read(text));

    [Theory]
    [InlineData("")]
    [InlineData(" \t\r\n")]
    public void White_space_is_an_empty_filter(string text) => Assert.Equal("", Read(text));

    [Fact]
    public void Largest_filters_are_parsed()
    {
        Assert.Equal("any(a)", Read(new string('(', 32) + "a" + new string(')', 32)));
        Assert.DoesNotContain(
            "most",
            Read(string.Join(" OR ", Enumerable.Repeat("type:(a OR -b)", 50))),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "Name = \"" + string.Concat(Enumerable.Repeat("😀", 4091)) + "\"",
            Read("name=" + string.Concat(Enumerable.Repeat("😀", 4091)))
        );
        Assert.Equal(63, Read("metadata" + string.Concat(Enumerable.Repeat(".a", 63)) + ":*").Count(c => c is '/'));
    }

    [Fact]
    [Trait("Conformance", "D10")]
    public void Hostile_texts_are_refused_quickly()
    {
        string[] units =
        [
            "(",
            ")",
            "-",
            "NOT ",
            "a OR ",
            "a:(",
            "\"",
            "\"\\",
            "\\",
            "a.",
            ".",
            "!",
            "=",
            "a=",
            "*",
            "'",
            "😀",
            "\u0301",
            "-(",
            "(-",
            "x:* ",
            "\uFFFF",
        ];
        var watch = Stopwatch.StartNew();
        foreach (var unit in units)
        foreach (var length in new[] { 4096, 100_000 })
            Assert.NotEqual("", Read(string.Concat(Enumerable.Repeat(unit, length / unit.Length))));
        Assert.InRange(watch.ElapsedMilliseconds, 0, 5_000);
    }
}
