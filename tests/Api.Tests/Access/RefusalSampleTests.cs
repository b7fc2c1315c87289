using System.Net;

namespace Resources.Api.Tests;

/// <summary>Which refusals the audit tells of, when there are many.</summary>
[Trait("Conformance", "J3")]
public sealed class RefusalSampleTests
{
    /// <summary>At the beginning of a minute, so that none ends meanwhile.</summary>
    readonly TestClock clock = new() { Ahead = TimeSpan.FromSeconds(60 - DateTimeOffset.UtcNow.Second) };

    [Fact]
    public void Host_with_many_addresses_fills_neither_the_audit_nor_the_share_of_its_neighbours()
    {
        var sample = new RefusalSample(new() { RefusalsPerCaller = 2, RefusalsPerNode = 40 }, clock);

        Assert.Equal(2, Count(100, i => sample.TakesOfGuest(IPAddress.Parse($"2001:db8:1:1::{i}"))));
        Assert.Equal(6, Count(100, i => sample.TakesOfGuest(IPAddress.Parse($"2001:db8:1:{i + 2}::1"))));
        Assert.Equal(2, Count(3, _ => sample.TakesOfGuest(IPAddress.Parse("2001:db8:2::1"))));

        clock.Ahead += TimeSpan.FromMinutes(1);
        // Others are refused before anybody asks.
        Assert.Equal(2, Count(3, i => sample.TakesOfGuest(IPAddress.Parse($"2001:db8:1:1::{i}"))));
        Assert.Equal(98 + 94 + 1, sample.TakeLeftOut());
        Assert.Equal(0, sample.TakeLeftOut());
    }

    [Fact]
    public void Guests_leave_half_of_the_audit_to_those_who_are_signed_in()
    {
        var sample = new RefusalSample(new() { RefusalsPerCaller = 10, RefusalsPerNode = 20 }, clock);

        Assert.Equal(10, Count(100, i => sample.TakesOfGuest(new IPAddress([10, (byte)i, 0, 1]))));
        Assert.Equal(10, Count(100, i => sample.Takes($"account {i}")));
        Assert.False(sample.TakesOfGuest(IPAddress.Loopback));
    }

    static int Count(int times, Func<int, bool> takes) => Enumerable.Range(0, times).Count(takes);
}
