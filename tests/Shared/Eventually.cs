using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Resources.Tests;

/// <summary>Waits for conditions instead of sleeping.</summary>
static class Eventually
{
    /// <summary>The limit for what is promised within a second.</summary>
    static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Waits until a condition holds. Fails when that takes too long.</summary>
    /// <param name="within">The limit; 5 seconds unless given.</param>
    /// <param name="state">What to report on failure; evaluated then.</param>
    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> HoldsAsync(
        Func<Task<bool>> condition,
        TimeSpan? within = null,
        Func<string>? state = null,
        [CallerArgumentExpression(nameof(condition))] string text = ""
    )
    {
        var limit = within ?? Soon;
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            if (watch.Elapsed >= limit)
                Assert.Fail($"Not within {limit.TotalSeconds} s: {state?.Invoke() ?? text}.");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
        return watch.Elapsed;
    }

    /// <inheritdoc cref="HoldsAsync(Func{Task{bool}}, TimeSpan?, Func{string}?, string)"/>
    public static Task<TimeSpan> HoldsAsync(
        Func<bool> condition,
        TimeSpan? within = null,
        Func<string>? state = null,
        [CallerArgumentExpression(nameof(condition))] string text = ""
    ) => HoldsAsync(() => Task.FromResult(condition()), within, state, text);
}
