using System.Text.Json;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Which values are equal for a unique rule.</summary>
public class UniqueValueTests
{
    static byte[]? Of(string values, bool ignoreCase = false) =>
        UniqueValue.Of(
            new("r", [], ignoreCase),
            JsonElement
                .Parse(values)
                .EnumerateArray()
                .Select(value => value.ValueKind is JsonValueKind.Null ? (JsonElement?)null : value)
        );

    [Theory]
    [InlineData("[1]", "[1.0]", false)]
    [InlineData("[1]", "[1e0]", false)]
    [InlineData("[100]", "[1e2]", false)]
    [InlineData("[0]", "[-0.0]", false)]
    [InlineData("[\"\\u00e9\"]", "[\"e\\u0301\"]", false)]
    [InlineData("[\"Straße\"]", "[\"STRASSE\"]", true)]
    [InlineData("[\"É\"]", "[\"é\"]", true)]
    public void Values_are_the_same(string one, string other, bool ignoreCase) =>
        Assert.Equal(Of(one, ignoreCase), Of(other, ignoreCase));

    [Theory]
    [InlineData("[1]", "[\"1\"]", false)]
    [InlineData("[true]", "[\"true\"]", false)]
    [InlineData("[1]", "[-1]", false)]
    [InlineData("[1]", "[10]", false)]
    [InlineData("[\"a\"]", "[\"A\"]", false)]
    [InlineData("[\"a\"]", "[\"a \"]", true)]
    [InlineData("[\"a\",\"b\"]", "[\"b\",\"a\"]", false)]
    [InlineData("[\"ab\",\"c\"]", "[\"a\",\"bc\"]", false)]
    [InlineData("[\"a\"]", "[\"as1:b\"]", false)]
    public void Values_differ(string one, string other, bool ignoreCase) =>
        Assert.NotEqual(Of(one, ignoreCase), Of(other, ignoreCase));

    [Theory]
    [InlineData("[null]")]
    [InlineData("[\"a\",null]")]
    [InlineData("[{}]")]
    [InlineData("[[1]]")]
    public void Member_without_a_comparable_value_claims_nothing(string values) => Assert.Null(Of(values));
}
