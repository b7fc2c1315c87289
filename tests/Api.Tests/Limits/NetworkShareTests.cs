using System.Globalization;
using System.Net;

namespace Resources.Api.Tests;

/// <summary>Shares of networks.</summary>
public sealed class NetworkShareTests
{
    [Theory]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", false, true)]
    [InlineData("192.0.2.1", "192.0.2.2", false, false)]
    [InlineData("192.0.2.1", "192.0.2.254", true, true)]
    [InlineData("192.0.2.1", "192.0.3.1", true, false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", false, true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false, false)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:ffff::1", true, true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:2:2::1", true, false)]
    public void Addresses_of_one_network_share(string one, string other, bool isNeighbourhood, bool share)
    {
        var shares = new NetworkShares(100, 10, isNeighbourhood);
        Assert.True(shares.TryTake(IPAddress.Parse(one), 10));
        Assert.Equal(!share, shares.TryTake(IPAddress.Parse(other), 10));
    }

    [Fact]
    public void Refusal_takes_nothing_and_what_is_returned_can_be_taken_again()
    {
        var shares = new NetworkShares(15, 10);
        var (one, other) = (IPAddress.Parse("192.0.2.1"), IPAddress.Parse("192.0.2.2"));
        Assert.True(shares.TryTake(one, 8));
        Assert.False(shares.TryTake(one, 3));
        Assert.True(shares.TryTake(one, 2));
        Assert.False(shares.TryTake(other, 6));
        Assert.True(shares.TryTake(other, 5));
        shares.Return(one, 10);
        Assert.False(shares.TryTake(other, 6));
        Assert.True(shares.TryTake(other, 5));
        Assert.True(shares.TryTake(one, 5));
        Assert.False(shares.TryTake(one));
    }

    [Theory, InlineData("192.0.2.{0}"), InlineData("2001:db8:1:{0}::1")]
    public void Many_addresses_of_one_neighbourhood_have_no_more_than_its_share(string network)
    {
        var shares = new AddressShares(total: 100, ofAddress: 10, ofNeighbourhood: 25);
        var taken = Enumerable.Range(1, 200).Sum(i => Enumerable.Range(0, 20).Count(_ => shares.TryTake(Address(i))));
        Assert.Equal(25, taken);
        Assert.True(shares.TryTake(IPAddress.Parse("198.51.100.1"), 10));
        Assert.False(shares.TryTake(IPAddress.Parse("198.51.100.1")));

        // The first two have as much as an address may.
        shares.Return(Address(1), 10);
        Assert.True(shares.TryTake(Address(4), 10));

        IPAddress Address(int i) => IPAddress.Parse(string.Format(CultureInfo.InvariantCulture, network, i));
    }

    [Fact]
    public async Task Takers_at_once_never_have_more_than_there_is()
    {
        var shares = new NetworkShares(50, 50);
        var address = IPAddress.Parse("192.0.2.1");
        var (held, most) = (0, 0);
        await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(_ =>
                    Task.Run(() =>
                    {
                        for (var i = 0; i < 10_000; i++)
                            if (shares.TryTake(address, 20))
                            {
                                var now = Interlocked.Add(ref held, 20);
                                if (now > Volatile.Read(ref most))
                                    Interlocked.Exchange(ref most, now);
                                Interlocked.Add(ref held, -20);
                                shares.Return(address, 20);
                            }
                    })
                )
        );
        Assert.InRange(most, 20, 40);
        Assert.True(shares.TryTake(address, 50));
    }
}
