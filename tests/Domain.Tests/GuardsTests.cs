using Resources.Grains;

namespace Resources.Domain.Tests;

public sealed class GuardsTests
{
    [Fact]
    public void An_append_makes_a_hundred_references_and_may_end_as_many()
    {
        var made = References(Guards.MaxReferences, takes: true);
        var ended = References(Guards.MaxReferences, takes: false);

        var guards = new Guards(null, [], [.. made, .. ended], false);

        Assert.Equal(200, guards.References.Length);
        Assert.Throws<ArgumentException>(() => new Guards(null, [], References(101, takes: true), false));
    }

    [Theory]
    [InlineData(31)]
    [InlineData(33)]
    public void A_claim_is_a_hash_of_its_value(int bytes) =>
        Assert.Throws<ArgumentException>(() =>
            new Guards(null, [new(default, 1, new byte[bytes], true, [])], [], false)
        );

    static Reference[] References(int count, bool takes) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new Reference(1, Guid.CreateVersion7(), "book", takes, $"/metadata/{i}")),
        ];
}
