using System.Diagnostics;

namespace Resources.Api.Tests;

/// <summary>Waits for what is promised within a second.</summary>
static class Eventually
{
    /// <summary>Waits until a condition holds; fails when it takes far too long.</summary>
    /// <param name="seconds">How long that is.</param>
    public static async Task HoldsAsync(Func<Task<bool>> condition, int seconds = 5)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed.TotalSeconds < seconds, $"Not within {seconds} s.");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
