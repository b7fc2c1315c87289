using System.Text.Json;
using CsCheck;
using Resources.Grains;
using static Resources.Domain.Tests.Story;

namespace Resources.Domain.Tests;

/// <summary>Operations that need no reading first: on numbers and on lists that are sets.</summary>
[Trait("Conformance", "D13")]
public class ExtendedPatchTests
{
    static readonly ResourceEvent Stocked = new ResourceCreated(
        "book",
        "Faust",
        "active",
        Text(
            """{"stock":20,"price":9.50,"big":1e300,"text":"7","none":null,"tags":["a",1.0,{"x":[1]}],"deep":{"n":[5,6]}}"""
        ),
        Alice
    );

    [Theory]
    [InlineData("/metadata/stock", "-1", "19")]
    [InlineData("/metadata/stock", "0.1", "20.1")]
    [InlineData("/metadata/stock", "1e2", "120")]
    [InlineData("/metadata/stock", "-20", "0")]
    [InlineData("/metadata/price", "0.5", "10.00")]
    [InlineData("/metadata/price", "0.05", "9.55")]
    [InlineData("/metadata/price", "0.1", "9.60")]
    [InlineData("/metadata/deep/n/1", "1", "7")]
    // Exact, where doubles are not.
    [InlineData("/metadata/stock", "9007199254740993", "9007199254741013")]
    [InlineData("/metadata/stock", "0.0000000000000000000000001", "20.0000000000000000000000001")]
    public void Increment_adds_decimals(string path, string value, string sum)
    {
        var events = When([Stocked], Increment(path, value)).Events;
        var metadata = Fold([Stocked, .. events]).State!.Metadata.ToElement();
        Assert.Equal(
            [path.Replace("/n/1", "/n", StringComparison.Ordinal)],
            Assert.IsType<ResourceMetadataChanged>(Assert.Single(events)).Changed!
        );
        Assert.Equal(
            sum,
            JsonPointer
                .Parse(path)!
                .Skip(1)
                .Aggregate(metadata, (at, step) =>
                    at.ValueKind is JsonValueKind.Array ? at[int.Parse(step, null)] : at.GetProperty(step)
                )
                .GetRawText()
        );
    }

    [Theory]
    [InlineData("""{"value":-20,"minimum":0}""", "19..")]
    [InlineData("""{"value":-21,"minimum":0}""", "BoundExceeded /metadata/stock BOUND_EXCEEDED")]
    [InlineData("""{"value":-20.5,"minimum":-0.5}""", "19..")]
    [InlineData("""{"value":5,"maximum":25.0}""", "19..")]
    [InlineData("""{"value":5.01,"maximum":25}""", "BoundExceeded /metadata/stock BOUND_EXCEEDED")]
    // The result is held to the bounds, wherever the number was before.
    [InlineData("""{"value":1,"minimum":30}""", "BoundExceeded /metadata/stock BOUND_EXCEEDED")]
    [InlineData("""{"value":0,"maximum":10}""", "BoundExceeded /metadata/stock BOUND_EXCEEDED")]
    public void Increment_stays_within_its_bounds(string members, string then)
    {
        var told = Told(When([Stocked], ExtendedPatch(Operation("increment", "/metadata/stock", members))));
        if (then is "19..")
            Assert.StartsWith("metadata_changed", told, StringComparison.Ordinal);
        else
            Assert.Equal(then, told);
    }

    [Theory]
    [InlineData("increment", "/metadata/stock", """{"value":0}""", "")]
    [InlineData("increment", "/metadata/missing", """{"value":1}""", "PatchNotApplicable /0 PATH_NOT_FOUND")]
    [InlineData("increment", "/metadata/text", """{"value":1}""", "PatchNotApplicable /0 WRONG_TYPE")]
    [InlineData("increment", "/metadata/none", """{"value":1}""", "PatchNotApplicable /0 WRONG_TYPE")]
    [InlineData("increment", "/metadata/tags", """{"value":1}""", "PatchNotApplicable /0 WRONG_TYPE")]
    [InlineData("increment", "/name", """{"value":1}""", "PatchNotApplicable /0 WRONG_TYPE")]
    [InlineData("increment", "/version", """{"value":1}""", "Invalid /0 READ_ONLY")]
    // What no decimal holds is refused, never rounded.
    [InlineData("increment", "/metadata/big", """{"value":1}""", "PatchNotApplicable /0 NUMBER_OUT_OF_RANGE")]
    [InlineData(
        "increment",
        "/metadata/stock",
        """{"value":0.0000000000000000000000000001}""",
        "PatchNotApplicable /0 NUMBER_OUT_OF_RANGE"
    )]
    [InlineData(
        "increment",
        "/metadata/stock",
        """{"value":9999999999999999999999999999}""",
        "PatchNotApplicable /0 NUMBER_OUT_OF_RANGE"
    )]
    [InlineData("increment", "/metadata/stock", """{"value":1e300}""", "Invalid /0/value NUMBER_OUT_OF_RANGE")]
    [InlineData("increment", "/metadata/stock", """{"value":1e-40}""", "Invalid /0/value NUMBER_OUT_OF_RANGE")]
    [InlineData("increment", "/metadata/stock", "{}", "Invalid /0/value REQUIRED")]
    [InlineData(
        "increment",
        "/metadata/stock",
        """{"value":"1","minimum":null,"maximum":true}""",
        "Invalid /0/value WRONG_TYPE; /0/minimum WRONG_TYPE; /0/maximum WRONG_TYPE"
    )]
    // A misspelt bound would sell what is not there.
    [InlineData("increment", "/metadata/stock", """{"value":-1,"minimun":0}""", "Invalid /0/minimun UNKNOWN_MEMBER")]
    [InlineData("addToSet", "/metadata/tags", """{"value":"b","minimum":0}""", "Invalid /0/minimum UNKNOWN_MEMBER")]
    // Sets: equal values in any spelling are one.
    [InlineData("addToSet", "/metadata/tags", """{"value":"\u0061"}""", "")]
    [InlineData("addToSet", "/metadata/tags", """{"value":1}""", "")]
    [InlineData("addToSet", "/metadata/tags", """{"value":{"x":[1e0]}}""", "")]
    [InlineData("addToSet", "/metadata/text", """{"value":1}""", "PatchNotApplicable /0 WRONG_TYPE")]
    [InlineData("addToSet", "/metadata/none", """{"value":1}""", "PatchNotApplicable /0 WRONG_TYPE")]
    [InlineData("addToSet", "/metadata/missing/tags", """{"value":1}""", "PatchNotApplicable /0 PATH_NOT_FOUND")]
    [InlineData("addToSet", "/metadata/deep/n/2", """{"value":1}""", "PatchNotApplicable /0 PATH_NOT_FOUND")]
    [InlineData("addToSet", "/metadata/tags", "{}", "Invalid /0/value REQUIRED")]
    [InlineData("removeFromSet", "/metadata/tags", """{"value":"z"}""", "")]
    [InlineData("removeFromSet", "/metadata/missing/tags", """{"value":"z"}""", "")]
    [InlineData("removeFromSet", "/metadata/stock", """{"value":1}""", "PatchNotApplicable /0 WRONG_TYPE")]
    [InlineData("removeFromSet", "/owner", """{"value":1}""", "Invalid /0 READ_ONLY")]
    [InlineData("decrement", "/metadata/stock", """{"value":1}""", "Invalid /0/op UNKNOWN_OPERATION")]
    public void Operation_is_refused_or_changes_nothing(string op, string path, string members, string then) =>
        Assert.Equal(then, Told(When([Stocked], ExtendedPatch(Operation(op, path, members)))));

    [Theory]
    [InlineData("addToSet", "/metadata/tags", "\"b\"", "tags", """["a",1.0,{"x":[1]},"b"]""")]
    [InlineData("addToSet", "/metadata/tags", "null", "tags", """["a",1.0,{"x":[1]},null]""")]
    [InlineData("addToSet", "/metadata/new", "[1]", "new", "[[1]]")]
    [InlineData("removeFromSet", "/metadata/tags", "1", "tags", """["a",{"x":[1]}]""")]
    [InlineData("removeFromSet", "/metadata/tags", """{"x":[1.0]}""", "tags", """["a",1.0]""")]
    public void Set_has_each_value_once(string op, string path, string value, string member, string then)
    {
        var patch = ExtendedPatch(Operation(op, path, $$"""{"value":{{value}}}"""));
        var first = When([Stocked], patch).Events;
        Assert.Equal(then, Fold([Stocked, .. first]).State!.Metadata.ToElement().GetProperty(member).GetRawText());
        Assert.Empty(When([Stocked, .. first], patch).Events);
    }

    [Fact]
    public void Value_that_a_list_has_twice_is_removed_twice() =>
        Assert.Equal(
            """metadata_changed{"metadata":{"l":[2]},"changed":["/metadata/l"]}""",
            Told(
                When(
                    [new ResourceCreated("book", "Faust", "active", Text("""{"l":[1,2,1.0]}"""), Alice)],
                    ExtendedPatch(Operation("removeFromSet", "/metadata/l", """{"value":1}"""))
                )
            )
        );

    [Fact]
    public void Set_has_at_most_ten_thousand_items()
    {
        Assert.Equal("PatchNotApplicable /0 TOO_LONG", Told(Added(10_000, "-1")));
        Assert.Equal("", Told(Added(10_000, "7")));
        Assert.Single(Added(9_999, "-1").Events);
        Assert.Equal("PatchNotApplicable /0 TOO_LONG", Told(Added(10_001, "7")));

        static Decision<ResourceEvent> Added(int items, string value) =>
            When(
                [
                    new ResourceCreated(
                        "book",
                        "Faust",
                        "active",
                        Text($$"""{"l":[{{string.Join(',', Enumerable.Range(0, items))}}]}"""),
                        Alice
                    ),
                ],
                ExtendedPatch(Operation("addToSet", "/metadata/l", $$"""{"value":{{value}}}"""))
            );
    }

    [Fact]
    public void Operations_of_JSON_Patch_and_others_make_one_event_or_none()
    {
        const string Sale =
            """{"op":"test","path":"/status","value":"active"},{"op":"increment","path":"/metadata/stock","value":-15,"minimum":0},{"op":"replace","path":"/status","value":"sold"},{"op":"addToSet","path":"/metadata/tags","value":"sale"}""";
        Assert.Equal(
            ["/status", "/metadata/tags", "/metadata/stock"],
            Assert.IsType<ResourceChanged>(Assert.Single(When([Stocked], ExtendedPatch($"[{Sale}]")).Events)).Changed!
        );
        Assert.Equal(
            "BoundExceeded /metadata/stock BOUND_EXCEEDED",
            Told(
                When(
                    [Stocked],
                    ExtendedPatch(
                        $$"""[{{Sale}},{"op":"increment","path":"/metadata/stock","value":-15,"minimum":0}]"""
                    )
                )
            )
        );
    }

    [Fact]
    public void JSON_patch_itself_does_not_have_them()
    {
        foreach (var op in new[] { "increment", "addToSet", "removeFromSet" })
            Assert.Equal(
                "Invalid /0/op UNKNOWN_OPERATION",
                Told(When([Stocked], JsonPatch(Operation(op, "/metadata/stock", """{"value":1}"""))))
            );
    }

    [Fact]
    public void Stale_condition_comes_before_a_bound() =>
        Assert.Equal("VersionMismatch", Told(When([Stocked], Increment("/metadata/missing", "1"), IfMatch(2))));

    [Fact]
    public void Faults_beyond_a_hundred_are_survived() =>
        Assert.IsType<Rejection>(
            When(
                [Stocked],
                ExtendedPatch($"[{string.Join(',', Enumerable.Repeat("""{"op":"increment"}""", 100))}]")
            ).Rejection
        );

    [Fact]
    public void Sums_are_exact_or_refused() =>
        Gen.Select(Gen.Decimal, Gen.Decimal)
            .Sample(
                (one, other) =>
                {
                    var created = new ResourceCreated(
                        "book",
                        "Faust",
                        "active",
                        Text(System.FormattableString.Invariant($$"""{"n":{{one}}}""")),
                        Alice
                    );
                    var decision = When(
                        [created],
                        Increment("/metadata/n", other.ToString(System.Globalization.CultureInfo.InvariantCulture))
                    );
                    if (decision.Rejection is not null || decision.Events is not [ResourceMetadataChanged changed])
                        return true;
                    var sum = changed.Metadata.ToElement().GetProperty("n").GetDecimal();
                    return Scaled(sum) == Scaled(one) + Scaled(other);
                }
            );

    /// <summary>The number as a whole one, times 10^28.</summary>
    static System.Numerics.BigInteger Scaled(decimal number)
    {
        var bits = decimal.GetBits(number);
        var digits = new System.Numerics.BigInteger(
            new decimal(bits[0], bits[1], bits[2], isNegative: number < 0, scale: 0)
        );
        return digits * System.Numerics.BigInteger.Pow(10, 28 - number.Scale);
    }

    static ResourceCommand Increment(string path, string value) =>
        ExtendedPatch(Operation("increment", path, $$"""{"value":{{value}}}"""));

    static string Operation(string op, string path, string members) =>
        members is "{}"
            ? $$"""[{"op":"{{op}}","path":"{{path}}"}]"""
            : $$"""[{"op":"{{op}}","path":"{{path}}",{{members[1..]}}]""";
}
