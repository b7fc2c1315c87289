using CsCheck;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>Permits of a window, which a grain and the database count together.</summary>
public class LimitWindowTests
{
    const int Permits = 20;

    [Fact]
    public void First_lease_of_a_window_is_stored_together_with_the_next()
    {
        var window = new LimitWindow(0, 60_000);
        Assert.Equal((7, false), window.Reserve(7, Permits));
        Assert.Equal((7, true), window.Reserve(7, Permits));
        Assert.Equal(14, window.TakePending());
        Assert.Equal(7, window.Kept(14, 7, Permits));
        Assert.Equal((6, true), window.Reserve(7, Permits));
        Assert.Equal((0, false), window.Reserve(7, Permits));
    }

    [Fact]
    public void Window_begun_elsewhere_continues()
    {
        var window = LimitWindow.Loaded(0, 60_000, Permits - 1);
        Assert.Equal((1, true), window.Reserve(7, Permits));
        Assert.Equal((0, false), window.Reserve(1, Permits));
    }

    [Fact]
    public void Returned_permits_can_be_leased_again()
    {
        var window = new LimitWindow(0, 60_000);
        window.Reserve(Permits, Permits);
        window.Return(5);
        Assert.Equal((5, true), window.Reserve(7, Permits));
        Assert.Equal(Permits, window.TakePending());
    }

    [Fact]
    public void Lease_that_could_not_be_stored_is_not_granted_and_not_counted()
    {
        var window = new LimitWindow(0, 60_000);
        window.Reserve(7, Permits);
        window.Reserve(7, Permits);
        window.NotKept(window.TakePending(), 7);
        Assert.Equal((7, 7), (window.Granted, window.Pending));
    }

    /// <summary>Two activations of one grain that do not know each other, and a database with outages.</summary>
    [Fact]
    public void Interleaved_activations_never_grant_more_than_the_limit_and_one_first_lease() =>
        Gen.Select(Gen.Int[0, 1], Gen.Int[1, 7], Gen.Int[0, 9])
            .Array[1, 60]
            .Sample(steps =>
            {
                var windows = new[] { new LimitWindow(0, 60_000), new LimitWindow(0, 60_000) };
                var held = new int[2];
                var total = 0;
                foreach (var (at, wanted, what) in steps)
                {
                    var window = windows[at];
                    if (what < 3 && held[at] > 0)
                    {
                        var returned = Math.Min(wanted, held[at]);
                        window.Return(returned);
                        held[at] -= returned;
                        continue;
                    }
                    var (reserved, mustBeKept) = window.Reserve(wanted, Permits);
                    if (mustBeKept)
                    {
                        var pending = window.TakePending();
                        if (what is 9)
                        {
                            window.NotKept(pending, reserved);
                            continue;
                        }
                        total += pending;
                        reserved = window.Kept(total, reserved, Permits);
                    }
                    held[at] += reserved;
                    if (held.Sum() > Permits + 7)
                        return false;
                }
                return true;
            });

    [Fact]
    public void One_activation_grants_exactly_the_limit() =>
        Gen.Select(Gen.Int[1, 7], Gen.Int[0, 9])
            .Array[1, 60]
            .Sample(steps =>
            {
                var window = new LimitWindow(0, 60_000);
                var held = 0;
                var total = 0;
                foreach (var (wanted, what) in steps)
                {
                    if (what < 3 && held > 0)
                    {
                        window.Return(1);
                        held--;
                    }
                    var (reserved, mustBeKept) = window.Reserve(wanted, Permits);
                    if (mustBeKept)
                        reserved = window.Kept(total += window.TakePending(), reserved, Permits);
                    held += reserved;
                    if (reserved != Math.Min(wanted, Permits - (held - reserved)) || held != window.Granted)
                        return false;
                }
                return true;
            });
}
