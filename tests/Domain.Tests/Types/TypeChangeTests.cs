using Resources.Grains;
using static Resources.Domain.Tests.TypeStory;

namespace Resources.Domain.Tests;

/// <summary>Whether a change needs a look at stored resources: only what is proven to be harmless does not.</summary>
public class TypeChangeTests
{
    public static TheoryData<string, string, TypeChangeKind> Changes =>
        new()
        {
            { "\"name\":\"book\",", "\"name\":\"book\",\"description\":\"Of paper.\",", TypeChangeKind.Note },
            { ",\"inverse\":\"books\"", "", TypeChangeKind.Note },
            { "\"name\":\"book\",", "\"name\":\"book\",\"collation\":\"und-x-icu\",", TypeChangeKind.Note },
            {
                ",{\"from\":\"published\",\"to\":\"retired\"}",
                ",{\"from\":\"published\",\"to\":\"retired\"},{\"from\":\"retired\",\"to\":\"draft\"}",
                TypeChangeKind.Note
            },
            { "\"minimum\":0", "\"minimum\":-1", TypeChangeKind.Wider },
            { "\"minimum\":0", "\"minimum\":1", TypeChangeKind.Checked },
            { ",\"required\":[\"isbn\"]", "", TypeChangeKind.Wider },
            { "\"required\":[\"isbn\"]", "\"required\":[\"isbn\",\"price\"]", TypeChangeKind.Checked },
            { "{\"lenient\":true}", "{}", TypeChangeKind.Checked },
            { "\"retired\":{}", "\"retired\":{\"lenient\":true}", TypeChangeKind.Wider },
            { "{\"require\":[\"/metadata/price\"]}", "{}", TypeChangeKind.Wider },
            { "\"retired\":{}", "\"retired\":{\"require\":[\"/metadata/isbn\"]}", TypeChangeKind.Checked },
            {
                "\"retired\":{}",
                "\"retired\":{\"schema\":{\"type\":\"object\",\"required\":[\"price\"]}}",
                TypeChangeKind.Checked
            },
            { "\"isbn\":{\"members\":[\"/metadata/isbn\"]},", "", TypeChangeKind.Wider },
            { "\"members\":[\"/metadata/isbn\"]", "\"members\":[\"/metadata/currency\"]", TypeChangeKind.Checked },
            { ",\"ignoreCase\":true", "", TypeChangeKind.Checked },
            { ",\"/metadata/parts/*/of\":{\"type\":\"book\"}", "", TypeChangeKind.Wider },
            { "\"type\":\"author\"", "\"type\":\"person\"", TypeChangeKind.Checked },
        };

    [Theory, MemberData(nameof(Changes))]
    public void Change_is_sorted_by_what_stored_resources_may_contradict(
        string part,
        string other,
        TypeChangeKind kind
    ) => Assert.Equal(kind, TypeChange.KindOf(Define(Book), Define(With(part, other))));

    [Fact]
    public void New_lifecycle_is_checked_and_one_that_goes_away_is_not()
    {
        const string free = """{"name":"book","schema":{"type":"object"}}""";
        const string bound =
            """{"name":"book","schema":{"type":"object"},"lifecycle":{"initial":"a","states":{"a":{}}}}""";
        Assert.Equal(TypeChangeKind.Checked, TypeChange.KindOf(Define(free), Define(bound)));
        Assert.Equal(TypeChangeKind.Wider, TypeChange.KindOf(Define(bound), Define(free)));
        Assert.Equal(TypeChangeKind.Checked, TypeChange.KindOf(null, Define(free)));
    }
}
