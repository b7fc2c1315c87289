using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Resources.Api.Tests;

/// <summary>A node with a PostgreSQL of its own, on a developer's machine.</summary>
[Collection(Processes.Alone)]
public sealed class EmbeddedNodeTests : IAsyncDisposable
{
    const int TryAgain = 75;
    const int Interrupted = 130;

    readonly TestDirectory directory = new();

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        // A killed node's PostgreSQL writes until it has noticed.
        if (File.Exists(PidFile))
        {
            var postmaster = Postmaster();
            await Eventually.HoldsAsync(() => !ProcessSignal.IsAlive(postmaster), TimeSpan.FromSeconds(30));
        }
        directory.Dispose();
    }

    [Fact]
    public async Task Ctrl_C_ends_it_in_order_and_without_a_wait_for_balancers()
    {
        await using var node = Start();
        await node.ReadyAsync();
        await Eventually.HoldsAsync(() => Says(node, "Resources is ready after "));
        Assert.True(Says(node, $"  Data      {directory.Path}"), node.Log);

        var watch = Stopwatch.StartNew();
        await ProcessSignal.SendAsync("INT", node.ProcessId);

        Assert.Equal(0, await node.EndedAsync());
        // In production it would serve for three seconds more.
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 2.9);
        Assert.True(Says(node, "Stopping; a second Ctrl-C ends the node at once"), node.Log);
        Assert.True(Says(node, "Embedded PostgreSQL has stopped"), node.Log);
    }

    [Fact]
    public async Task Second_Ctrl_C_ends_it_at_once_and_its_PostgreSQL_with_it()
    {
        await using var node = Start(("Shutdown:DrainSeconds", "600"));
        await node.ReadyAsync();
        var postmaster = Postmaster();
        await ProcessSignal.SendAsync("INT", node.ProcessId);
        await Eventually.HoldsAsync(() => Says(node, "Stopping; "), TimeSpan.FromSeconds(30));
        Assert.False(node.HasExited);

        await ProcessSignal.SendAsync("INT", node.ProcessId);

        Assert.Equal(Interrupted, await node.EndedAsync());
        await Eventually.HoldsAsync(() => !ProcessSignal.IsAlive(postmaster), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Ctrl_C_during_the_start_leaves_nothing_that_runs_or_is_in_the_way()
    {
        await using (var node = Start())
        {
            await Eventually.HoldsAsync(() => Says(node, "Creating a private PostgreSQL"), TimeSpan.FromSeconds(60));
            await ProcessSignal.SendAsync("INT", node.ProcessId);
            Assert.Equal(TryAgain, await node.EndedAsync());
            Assert.Contains("The node was stopped before it was ready", node.Log, StringComparison.Ordinal);
        }
        await using var next = Start();
        await next.ReadyAsync();
    }

    [Fact]
    public async Task Write_succeeds_again_soon_after_PostgreSQL_was_killed()
    {
        await using var node = Start();
        await node.ReadyAsync();
        using var client = node.Client(await node.SignInAsync());
        Assert.True(await WriteAsync(client));

        using (var postmaster = Process.GetProcessById(Postmaster()))
            postmaster.Kill();

        var soon = TimeSpan.FromSeconds(20);
        await Eventually.HoldsAsync(() => Says(node, "PostgreSQL is running again"), soon, () => node.Log);
        await Eventually.HoldsAsync(() => WriteAsync(client), soon, () => node.Log);
    }

    /// <summary>No other process belongs to its cluster.</summary>
    [Fact]
    [Trait("Conformance", "J7")]
    public async Task Ports_of_the_cluster_let_nobody_in()
    {
        var (silo, gateway) = (FreePort.Find(), FreePort.Find());
        await using var node = Start(("Cluster:SiloPort", $"{silo}"), ("Cluster:GatewayPort", $"{gateway}"));
        await node.ReadyAsync();

        foreach (var port in (int[])[silo, gateway])
        {
            using var client = new TcpClient();
            var closed = await Record.ExceptionAsync(async () =>
            {
                await client.ConnectAsync("127.0.0.1", port, Cancelled);
                Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Cancelled));
            });
            // The node can close the connection before this side has seen it open. Nobody listening is another fault.
            Assert.True(
                closed
                    is null
                        or IOException
                        or SocketException { SocketErrorCode: SocketError.Shutdown or SocketError.ConnectionReset },
                $"{closed}"
            );
        }
    }

    ServerProcess Start(params (string Key, string Value)[] options) =>
        ServerProcess.Start(
            "",
            $"{Guid.NewGuid():n}",
            null,
            [
                ("ASPNETCORE_ENVIRONMENT", "Development"),
                ("Embedded:DataDirectory", directory.Path),
                // None, so that the default holds.
                ("Shutdown:DrainSeconds", null!),
                .. options,
            ]
        );

    static async Task<bool> WriteAsync(HttpClient client)
    {
        using var body = new StringContent("""{"type":"note","name":"a"}""", Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync("/api/v1/resources", body, Cancelled);
        return answer.StatusCode is HttpStatusCode.Created;
    }

    static bool Says(ServerProcess node, string text) =>
        node.Lines.Any(line => line.Contains(text, StringComparison.Ordinal));

    string PidFile => Path.Combine(directory.Path, "postgres", "postmaster.pid");

    int Postmaster() => int.Parse(File.ReadLines(PidFile).First(), CultureInfo.InvariantCulture);
}
