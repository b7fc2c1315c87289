using Resources.Grains;
using Resources.Projections;

namespace Resources.Domain.Tests;

/// <summary>A page of checked resources is entered in parts, as each part holds up all writes.</summary>
public class CheckedPageTests
{
    static CheckedRow Row(int claims, int references) =>
        new(Guid.NewGuid(), 1, [.. new Claim[claims]], [.. new Reference[references]]);

    static IEnumerable<IEnumerable<int>> PartsOf(params CheckedRow[] rows) =>
        new CheckedPage(rows.Length, [.. rows], [], null, true)
            .PartsOf(10)
            .Select(part => part.Select(row => row.Entries));

    [Fact]
    public void Part_has_no_more_values_and_references_than_its_size() =>
        Assert.Equal(
            [
                [4, 6],
                [4, 3],
                [9],
            ],
            PartsOf(Row(4, 0), Row(0, 6), Row(1, 3), Row(3, 0), Row(4, 5))
        );

    [Fact]
    public void Rows_without_values_or_references_are_in_no_part() =>
        Assert.Equal(
            [
                [1, 1],
            ],
            PartsOf(Row(0, 0), Row(1, 0), Row(0, 0), Row(0, 1))
        );

    [Fact]
    public void Row_that_is_larger_than_a_part_is_one() =>
        Assert.Equal(
            [
                [1],
                [12],
                [1],
            ],
            PartsOf(Row(1, 0), Row(2, 10), Row(1, 0))
        );
}
