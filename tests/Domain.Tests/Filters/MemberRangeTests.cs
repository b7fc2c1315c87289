using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Domain.Tests;

/// <summary>What a filter says of the values of indexed members.</summary>
public sealed class MemberRangeTests
{
    static readonly IndexedMembers Indexed = new(
        "book",
        DateTimeOffset.UnixEpoch,
        [
            new("/metadata/price", IsTime: false),
            new("/metadata/in/title", IsTime: false),
            new("/metadata/at", IsTime: true),
        ]
    );

    [Theory]
    [
        InlineData("metadata.price >= 10", "/metadata/price number >= 10"),
        InlineData("metadata.price > 10", "/metadata/price number > 10"),
        InlineData("metadata.price < 10 metadata.price > -1e3", "/metadata/price number < 10 and number > -1e3"),
        InlineData("metadata.price = 10 AND status = draft", "/metadata/price number = 10"),
        InlineData(
            "metadata.price = 10 AND metadata.in.title <= b",
            "/metadata/price number = 10|/metadata/in/title text <= b"
        ),
        InlineData("metadata.in.title = true", "/metadata/in/title text = true"),
        InlineData("metadata.in.title = \"true\"", "/metadata/in/title text = true"),
        InlineData("metadata.price > 10 AND metadata.price < \"x\"", "/metadata/price number > 10")
    ]
    [
        InlineData("metadata.price != 10", ""),
        InlineData("metadata.price:10", ""),
        InlineData("metadata.price:*", ""),
        InlineData("metadata.price = null", ""),
        InlineData("metadata.in.title = \"a*\"", ""),
        InlineData("metadata.title = a", ""),
        InlineData("metadata.price = 10 OR status = draft", ""),
        InlineData("NOT metadata.price = 10", ""),
        InlineData("metadata.at > \"2026-01-01T00:00:00Z\"", "")
    ]
    public void Range_has_all_that_the_filter_takes(string text, string expected)
    {
        var faults = new List<FilterFault>();
        var filter = FilterParser.Parse(text, faults);
        Assert.Empty(faults);
        Assert.Equal(expected, string.Join('|', MemberRange.In(filter, Indexed).Select(Shown)));
        Assert.Empty(MemberRange.In(filter, null));
    }

    static string Shown(MemberRange range)
    {
        using var command = new NpgsqlCommand();
        var sql = range.Bounds(command.Parameters);
        foreach (var (at, parameter) in command.Parameters.Cast<NpgsqlParameter>().Index())
            sql = sql.Replace($"left(${at + 1}, 256)", $"{parameter.Value}", StringComparison.Ordinal)
                .Replace($"${at + 1}::numeric", $"{parameter.Value}", StringComparison.Ordinal);
        return $"{range.Member.Pointer} {sql}";
    }
}
