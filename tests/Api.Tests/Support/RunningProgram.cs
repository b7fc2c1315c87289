using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Resources.Api.Tests;

/// <summary>The program as a process of its own in Production, with what it writes.</summary>
sealed class RunningProgram : IDisposable
{
    readonly Process process;
    readonly ConcurrentQueue<string> lines = new();
    Uri? address;

    RunningProgram(Process process) => this.process = process;

    /// <summary>What it has written to its standard output so far.</summary>
    public IReadOnlyCollection<string> Lines => [.. lines];

    public static async Task<RunningProgram> StartAsync(string database, params (string Key, string Value)[] options)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Resources.Api.dll")])
        {
            RedirectStandardOutput = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        (string, string)[] usual =
        [
            ("ASPNETCORE_ENVIRONMENT", "Production"),
            ("ASPNETCORE_URLS", "http://127.0.0.1:0"),
            ("ConnectionStrings__Resources", database),
            ("Secrets__MasterKey", Convert.ToBase64String(new byte[32])),
            ("Bootstrap__AdminPassword", ApiNode.AdminPassword),
            ("Cluster__ClusterId", Guid.NewGuid().ToString("n")),
        ];
        foreach (var (key, value) in usual.Concat(options))
            start.Environment[key] = value;
        var program = new RunningProgram(Process.Start(start)!);
        program.process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is { Length: > 0 } text)
                program.lines.Enqueue(text);
        };
        program.process.BeginOutputReadLine();
        await Eventually.HoldsAsync(() => Task.FromResult(program.FindAddress()), TimeSpan.FromSeconds(60));
        return program;
    }

    /// <summary>Sends bytes as they are and waits for the end of the answer.</summary>
    public async Task SayAsync(string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address!.Host, address.Port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(request), TestContext.Current.CancellationToken);
        await client.GetStream().CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.Dispose();
    }

    bool FindAddress()
    {
        Assert.False(process.HasExited, string.Join('\n', lines));
        foreach (var line in lines)
            if (line.IndexOf("Resources listens at ", StringComparison.Ordinal) is >= 0 and var at)
                address = new(line[(at + "Resources listens at ".Length)..].Split(' ', '"', ',')[0].TrimEnd('.'));
        return address is not null;
    }
}
