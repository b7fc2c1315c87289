using System.Diagnostics;

namespace Resources.Api.Tests;

/// <summary>Waits for what is promised within a second.</summary>
static class Eventually
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Waits until a condition holds; fails when it takes far too long.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> condition)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < Patience, $"Not within {Patience.TotalSeconds} s.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
