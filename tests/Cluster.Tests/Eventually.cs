using System.Diagnostics;

namespace Resources.Cluster.Tests;

/// <summary>Waits for conditions.</summary>
internal static class Eventually
{
    /// <summary>Waits until a condition holds and answers how long that took; fails when it takes too long.</summary>
    public static Task<TimeSpan> HoldsAsync(Func<bool> condition, TimeSpan within, string what) =>
        HoldsAsync(() => Task.FromResult(condition()), within, what);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, TimeSpan, string)"/>
    public static async Task<TimeSpan> HoldsAsync(Func<Task<bool>> condition, TimeSpan within, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < within, $"Not within {within.TotalSeconds} s: {what}.");
            await Task.Delay(25, TestContext.Current.CancellationToken);
        }
        return watch.Elapsed;
    }
}
