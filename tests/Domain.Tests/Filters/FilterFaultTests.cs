using CsCheck;
using Resources.Projections;
using static Resources.Domain.Tests.FilterNotation;

namespace Resources.Domain.Tests;

/// <summary>Errors in filters: their position and text.</summary>
public class FilterFaultTests
{
    [Theory]
    [InlineData("(a", "0 The parenthesis that opens here is not closed.")]
    [InlineData("a)", "1 No parenthesis is open that this ')' could close.")]
    [InlineData("a AND )", "6 A condition is expected before this ')'.")]
    [InlineData("()", "1 A condition is expected before this ')'.")]
    [InlineData("a AND", "5 The filter ends where a condition is expected.")]
    [InlineData("😀a OR ", "6 The filter ends where a condition is expected.")]
    [InlineData("NOT", "3 The filter ends where a condition is expected.")]
    [InlineData(
        "a AND OR b",
        "6 A condition is expected here; a word that is spelled like AND, OR or NOT stands in double quotes."
    )]
    [InlineData(
        "AND a",
        "0 A condition is expected here; a word that is spelled like AND, OR or NOT stands in double quotes."
    )]
    [InlineData(
        "AND = a",
        "0 A condition is expected here; a word that is spelled like AND, OR or NOT stands in double quotes."
    )]
    [InlineData("NOT NOT a", "4 A condition is negated once; to negate it again, put it in parentheses.")]
    [InlineData("NOT -a", "4 A condition is negated once; to negate it again, put it in parentheses.")]
    [InlineData("--a", "1 A condition is negated once; to negate it again, put it in parentheses.")]
    [InlineData("- a", "0 A '-' stands directly before what it negates.")]
    [InlineData("!a", "0 A condition is negated by NOT or by '-'.")]
    [InlineData("= a", "0 The name of a field or member is expected here.")]
    [InlineData("metadata..a = 1", "9 The name of a field or member is expected here.")]
    [InlineData("metadata.a. = 1", "11 The name of a field or member is expected here.")]
    [InlineData(".a = 1", "0 The name of a field or member is expected here.")]
    [InlineData("type =", "6 A value is expected here.")]
    [InlineData("(type = )", "8 A value is expected here.")]
    [InlineData(
        "type = AND",
        "7 A value is expected here; one that is spelled like AND, OR or NOT stands in double quotes."
    )]
    [InlineData("type == a", "6 A value is expected here; the operators are = != < <= > >= and ':'.")]
    [InlineData("type <> a", "6 A value is expected here; the operators are = != < <= > >= and ':'.")]
    [InlineData("type = ()", "8 A value is expected before this ')'.")]
    [InlineData("type = (a OR )", "13 A value is expected before this ')'.")]
    [InlineData("type = (a = b)", "10 A value is expected here; the operators are = != < <= > >= and ':'.")]
    [InlineData("type = (a", "7 The parenthesis that opens here is not closed.")]
    public void Structural_errors_are_reported(string text, string expected) => Assert.Equal(expected, Read(text));

    [Theory]
    [InlineData("name = 'a'", "7 Texts stand in double quotes, not in single ones.")]
    [InlineData("'a'", "0 Texts stand in double quotes, not in single ones.")]
    [InlineData("name = \"a", "7 The text that begins here has no closing '\"'.")]
    [InlineData("name = \"a\\\"", "7 The text that begins here has no closing '\"'.")]
    [InlineData("name = \"a\\", "9 A backslash stands before '\"', '\\' or '*', and before nothing else.")]
    [InlineData("name = \"é\\n\"", "9 A backslash stands before '\"', '\\' or '*', and before nothing else.")]
    [InlineData("name = \"\\u0041\"", "8 A backslash stands before '\"', '\\' or '*', and before nothing else.")]
    [InlineData("name = \"a\"b", "10 White space is expected between a text in double quotes and what follows.")]
    [InlineData("name = \"a\"\"b\"", "10 White space is expected between a text in double quotes and what follows.")]
    [InlineData("\"a\"(b)", "3 White space is expected between a text in double quotes and what follows.")]
    [InlineData("name = a\"b\"", "8 Double quotes stand around the whole text, or around a whole step of a path.")]
    [InlineData(
        "metadata.a\"b\" = 1",
        "10 Double quotes stand around the whole text, or around a whole step of a path."
    )]
    [InlineData("name = a\\*", "8 A backslash may stand in double quotes only.")]
    [InlineData("metadata.a\\b = 1", "10 A backslash may stand in double quotes only.")]
    [InlineData("size(tags) > 3", "0 There are no functions; a text with a parenthesis stands in double quotes.")]
    [InlineData(
        "metadata.size(tags) > 3",
        "9 There are no functions; a text with a parenthesis stands in double quotes."
    )]
    [InlineData("createdAt > now()", "12 There are no functions; a text with a parenthesis stands in double quotes.")]
    [InlineData("a.(b)", "2 There are no functions; a text with a parenthesis stands in double quotes.")]
    [InlineData("name = a\0", "8 A filter has neither NUL characters nor halves of surrogate pairs.")]
    public void Lexical_errors_are_reported(string text, string expected) => Assert.Equal(expected, Read(text));

    [Theory]
    [InlineData("...", "0 There is no word here to search for; a text in quotes is searched for by its words too.")]
    [InlineData("a && b", "2 There is no word here to search for; a text in quotes is searched for by its words too.")]
    [InlineData("\"\"", "0 There is no word here to search for; a text in quotes is searched for by its words too.")]
    [InlineData(
        "name:\"?\"",
        "5 The operator ':' looks for words in the name, and this text has none; '=' compares the whole name."
    )]
    [InlineData(
        "name:\"*\"",
        "5 The operator ':' looks for words in the name, and this text has none; '=' compares the whole name."
    )]
    [InlineData(
        "metadata.price",
        "0 A comparison is expected after a field; to ask whether a member is there, write ':*' behind its path."
    )]
    [InlineData(
        "a -metadata.\"odd key\"",
        "3 A comparison is expected after a field; to ask whether a member is there, write ':*' behind its path."
    )]
    [InlineData(
        "name.first",
        "0 A comparison is expected after a field; to ask whether a member is there, write ':*' behind its path."
    )]
    [InlineData("name.first = a", "0 The field 'name' has no members.")]
    [InlineData(
        "Name = a",
        "0 There is no field 'Name'; the fields are id, type, name, status, owner, version, createdAt, "
            + "createdBy, updatedAt, updatedBy, deletedAt and the members of metadata, as in metadata.price."
    )]
    [InlineData("id = x", "5 An id is a UUID in lower case, such as 01890a5d-ac96-774b-bcce-b302099a8057.")]
    [InlineData(
        "id = 01890A5D-ac96-774b-bcce-b302099a8057",
        "5 An id is a UUID in lower case, such as 01890a5d-ac96-774b-bcce-b302099a8057."
    )]
    [InlineData("id < 01890a5d-ac96-774b-bcce-b302099a8057", "3 Ids have no order; they are compared by '=' and '!='.")]
    [InlineData("version = x", "10 A version is a whole number in plain digits and without quotes, such as 3.")]
    [InlineData("version = \"3\"", "10 A version is a whole number in plain digits and without quotes, such as 3.")]
    [InlineData("version = 1.5", "10 A version is a whole number in plain digits and without quotes, such as 3.")]
    [InlineData("version = -1", "10 A version is a whole number in plain digits and without quotes, such as 3.")]
    [InlineData(
        "version = 9223372036854775808",
        "10 A version is a whole number in plain digits and without quotes, such as 3."
    )]
    [InlineData(
        "createdAt > 2026-01-31",
        "12 A time is given as in RFC 3339, such as 2026-01-31T12:00:00Z; in an address the '+' of an offset is written %2B."
    )]
    [InlineData(
        "deletedAt = null",
        "12 A time is given as in RFC 3339, such as 2026-01-31T12:00:00Z; in an address the '+' of an offset is written %2B."
    )]
    [InlineData(
        "updatedAt : 2026-02-30T12:00:00Z",
        "12 A time is given as in RFC 3339, such as 2026-01-31T12:00:00Z; in an address the '+' of an offset is written %2B."
    )]
    [InlineData(
        "metadata = 5",
        "9 The metadata as a whole is only asked for a member, as in metadata:price; the members are "
            + "compared by their paths, as in metadata.price = 5."
    )]
    [InlineData(
        "metadata.a < true",
        "13 Only numbers and texts have an order; a text that is spelled like true, false or null stands in double quotes."
    )]
    [InlineData(
        "metadata.a >= (1 OR null)",
        "20 Only numbers and texts have an order; a text that is spelled like true, false or null stands in double quotes."
    )]
    [InlineData(
        "metadata.a = 1e400",
        "13 A number has at most 40 characters, and is a double in its shortest form or a decimal of at most "
            + "28 digits; a text stands in double quotes."
    )]
    [InlineData(
        "metadata.a = 0.00000000000000000000000000000000000000000",
        "13 A number has at most 40 characters, and is a double in its shortest form or a decimal of at most "
            + "28 digits; a text stands in double quotes."
    )]
    public void Semantic_errors_are_reported(string text, string expected) => Assert.Equal(expected, Read(text));

    [Fact]
    public void All_semantic_errors_and_the_first_syntax_error_are_reported()
    {
        Assert.Equal([0, 22, 29, 37], Positions("colour = red (version:x OR id>1) AND name.x=(a b c)"));
        Assert.Equal([0, 9], Positions("colour=1 (version"));
        Assert.Equal([1, 12], Positions("(colour = 1 ="));
    }

    [Fact]
    public void At_most_twenty_errors_are_reported() =>
        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => i * 4),
            Positions(string.Concat(Enumerable.Repeat("x=1 ", 50)))
        );

    [Fact]
    public void Unknown_name_is_quoted_up_to_64_characters()
    {
        Assert.Contains(
            $"no field '{string.Concat(Enumerable.Repeat("😀", 64))}'",
            Read($"{string.Concat(Enumerable.Repeat("😀", 64))}=1"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"no field '{string.Concat(Enumerable.Repeat("😀", 64))}…'",
            Read($"{string.Concat(Enumerable.Repeat("😀", 65))}=1"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Exceeded_limits_are_reported_at_their_position()
    {
        Assert.Equal("4096 A filter has at most 4096 characters.", Read(string.Concat(Enumerable.Repeat("😀", 4097))));
        Assert.Equal("32 Parentheses are nested at most 32 deep.", Read(new string('(', 4096)));
        Assert.Equal("37 Parentheses are nested at most 32 deep.", Read($"type={new string('(', 4000)}"));
        Assert.Equal(
            "200 A filter has at most 100 conditions; each word that is searched for counts as one.",
            Read(string.Join(' ', Enumerable.Repeat("a", 101)))
        );
        Assert.Equal(
            "206 A filter has at most 100 conditions; each word that is searched for counts as one.",
            Read($"type=({string.Join(' ', Enumerable.Repeat("a", 101))})")
        );
        Assert.Equal(
            "0 A filter has at most 100 conditions; each word that is searched for counts as one.",
            Read($"name:\"{string.Join(' ', Enumerable.Range(0, 101))}\"")
        );
        Assert.Equal("0 A path has at most 64 steps.", Read($"metadata{string.Concat(Enumerable.Repeat(".a", 64))}=1"));
    }

    [Fact]
    [Trait("Conformance", "D2")]
    public void Lone_surrogate_is_refused_at_its_position() =>
        Assert.Equal("2 A filter has neither NUL characters nor halves of surrogate pairs.", Read("😀a\uD83D"));

    [Fact]
    public void Any_text_is_a_filter_or_has_an_error_inside_it() =>
        Gen.OneOf(
                "(",
                ")",
                "-",
                " ",
                "\"",
                "\\",
                "*",
                "'",
                ".",
                "!",
                "=",
                "<",
                ">",
                ":",
                "AND ",
                "OR ",
                "NOT ",
                "name",
                "metadata",
                "version",
                "id",
                "5",
                "x",
                "é",
                "😀",
                "\uD83D"
            )
            .Array[0, 12]
            .Select(string.Concat)
            .Sample(text =>
            {
                var faults = new List<FilterFault>();
                var filter = FilterParser.Parse(text, faults);
                var length = text.EnumerateRunes().Count();
                return faults.TrueForAll(fault => fault.Position >= 0 && fault.Position <= length)
                    && faults is [] == (filter is not null || text.Trim() is "");
            });

    static IEnumerable<int> Positions(string text)
    {
        var faults = new List<FilterFault>();
        Assert.Null(FilterParser.Parse(text, faults));
        return faults.Select(fault => fault.Position);
    }
}
