using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>
/// The README, followed by somebody who has the SDK and npm but no PostgreSQL: a fresh clone, a fresh home, and only
/// NuGet's packages already there. What is cloned is the last commit.
/// </summary>
[Collection(Processes.Alone)]
public sealed class NewcomerTests(NewcomerTests.Clone clone) : IClassFixture<NewcomerTests.Clone>
{
    static readonly string[] Namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];

    [Theory, InlineData("nobody"), InlineData("root")]
    public async Task First_write_comes_within_a_minute_and_the_next_start_needs_no_network(string user)
    {
        var first = await RunAsync([], user, user);
        Assert.Contains("fetching 17.10 once", first, StringComparison.Ordinal);

        var second = await RunAsync(["--net"], user, user);
        Assert.DoesNotContain("fetching", second, StringComparison.Ordinal);
        Assert.DoesNotContain("Creating", second, StringComparison.Ordinal);
    }

    /// <summary>Earlier versions kept the data in src/Api/.data.</summary>
    [Fact]
    public async Task Data_of_earlier_versions_go_on_being_used()
    {
        await RunAsync([], "nobody", "earlier");
        var moved = await RunAsync(["--net"], "nobody", "earlier", "among-the-sources");
        Assert.Contains("clone/src/Api/.data\n", moved, StringComparison.Ordinal);
        Assert.Contains("'git clean -x' deletes it", moved, StringComparison.Ordinal);
        Assert.DoesNotContain("Creating", moved, StringComparison.Ordinal);
    }

    async Task<string> RunAsync(string[] isolation, string user, string home, params string[] how)
    {
        var script = Path.Combine(clone.Folder, "clone", "tests", "Api.Tests", "Operations", "newcomer.sh");
        // A network of its own has a loopback interface that is down, and any port of it is free.
        var line = isolation is [] ? "exec \"$@\"" : $"perl -e '{LoopbackUp}' && exec \"$@\"";
        var before = Load();
        var (code, output) = await Clone.RunAsync(
            "unshare",
            [
                .. Namespaces,
                .. isolation,
                "bash",
                "-c",
                line,
                "sh",
                "bash",
                script,
                clone.Folder,
                user,
                home,
                $"{FreePort.Find()}",
                .. how,
            ]
        );
        Assert.True(code is 0, output);
        // What the README promises of its lines.
        foreach (
            var part in new[] { "\"price\":12", "resource.created", "resource.metadata_changed", "event: ", "Stopping" }
        )
            Assert.True(output.Contains(part, StringComparison.Ordinal), $"{part} is not in:\n{output}");
        Assert.DoesNotContain("something is left", output, StringComparison.Ordinal);
        // What else the machine does is not the newcomer's time. Two processors are busy with the start itself.
        var slower = Math.Max(1, Math.Max(before, Load() - 2) / Environment.ProcessorCount);
        Assert.InRange(Seconds(output, "write after"), 0, 60 * slower);
        Assert.InRange(Seconds(output, "stop in"), 0, 3 * slower);
        return output;
    }

    /// <summary>SIOCSIFFLAGS with IFF_UP and IFF_RUNNING: `ip` is not on every machine, perl is on each Debian.</summary>
    const string LoopbackUp =
        "socket(S, 2, 2, 0) && ($flags = pack(\"a16sx22\", \"lo\", 0x41)) && ioctl(S, 0x8914, $flags) or die $!";

    static double Load() => double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    static double Seconds(string output, string after) =>
        double.Parse(Regex.Match(output, after + @" (\d+\.\d) s").Groups[1].Value, CultureInfo.InvariantCulture);

    /// <summary>A clone of this checkout, which the first start compiles for all others.</summary>
    public sealed class Clone : IAsyncLifetime
    {
        readonly TestDirectory directory = new();

        public string Folder => directory.Path;

        public async ValueTask InitializeAsync()
        {
            Assert.SkipUnless(
                OperatingSystem.IsLinux()
                    && Environment.IsPrivilegedProcess
                    && await RunAsync("unshare", [.. Namespaces, "true"]) is (0, _),
                "Only root can put the machine's PostgreSQL out of sight."
            );
            // The checkout may be another account's.
            var settings = Path.Combine(Folder, "gitconfig");
            await File.WriteAllTextAsync(settings, "[safe]\n\tdirectory = *\n");
            var (code, output) = await RunAsync(
                "env",
                [$"GIT_CONFIG_GLOBAL={settings}", "git", "clone", "-q", Repository.Root, Path.Combine(Folder, "clone")]
            );
            Assert.True(code is 0, output);
        }

        public ValueTask DisposeAsync()
        {
            directory.Dispose();
            return ValueTask.CompletedTask;
        }

        public static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments)
        {
            var start = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(8));
            await using var end = patience.Token.Register(() => process.Kill(entireProcessTree: true));
            var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            await process.WaitForExitAsync(CancellationToken.None);
            return (process.ExitCode, await output + await errors);
        }
    }
}
