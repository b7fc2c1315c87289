using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>What an answer of the validator takes: to read the schema, to give a verdict and to report.</summary>
/// <param name="Faults">The faults of the schema, or else of the value.</param>
internal sealed record Cost(string Faults, TimeSpan Time, long Bytes)
{
    const string ThreadStatistics = "/proc/thread-self/schedstat";

    /// <summary>The bound is that of a release; other builds are several times slower.</summary>
    static readonly TimeSpan MaxTime = TimeSpan.FromMilliseconds(
        typeof(Schema).Assembly.GetCustomAttribute<DebuggableAttribute>() is { IsJITOptimizerDisabled: true }
            ? 1_000
            : 100
    );

    /// <summary>The least of some attempts: what the machine does meanwhile is not the answer's.</summary>
    public static Cost Of(string schema, string value) =>
        Enumerable.Range(0, 4).Select(_ => Once(schema, value)).MinBy(cost => cost.Time)!;

    /// <summary>The same of anything else.</summary>
    public static Cost Of<T>(Func<T> run) =>
        Enumerable.Range(0, 4).Select(_ => Once(() => $"{run() is null}")).MinBy(cost => cost.Time)!;

    /// <summary>No attack takes a tenth of a second, or more memory than a node can spare for each of many.</summary>
    public void IsBounded()
    {
        Assert.True(Time < MaxTime, $"{Time.TotalMilliseconds:F0} ms");
        Assert.True(Bytes < 20 << 20, $"{Bytes >> 10} KiB");
    }

    static Cost Once(string schema, string value)
    {
        var faults = new List<Fault>();
        using var definition = StrictJson.Read(Encoding.UTF8.GetBytes(schema), faults)!;
        using var document = StrictJson.Read(Encoding.UTF8.GetBytes(value), faults)!;
        Assert.Empty(faults);
        return Once(() =>
        {
            Schema.Compile(definition.RootElement, "", faults)?.Check(document.RootElement, "", faults);
            return TestJson.Summary(faults);
        });
    }

    static Cost Once(Func<string> run)
    {
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        var (cpu, watch) = (ThreadTime(), Stopwatch.StartNew());
        var result = run();
        var time = ThreadTime() - cpu ?? watch.Elapsed;
        return new(result, time, GC.GetAllocatedBytesForCurrentThread() - bytes);
    }

    /// <summary>The processor's time that this thread has had; others do not count. Null where it is not told.</summary>
    static TimeSpan? ThreadTime() =>
        File.Exists(ThreadStatistics)
            ? TimeSpan.FromTicks(
                long.Parse(File.ReadAllText(ThreadStatistics).Split(' ')[0], CultureInfo.InvariantCulture)
                    / TimeSpan.NanosecondsPerTick
            )
            : null;
}
