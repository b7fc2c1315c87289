using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Resources.Tests;

/// <summary>The server as its operator runs it: a process that a test can kill, pause and stop.</summary>
sealed class ServerProcess : TestServer
{
    static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Resources.Api.dll");

    // Far more than a start or a stop needs, on a machine that is busy with other things.
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    readonly Process process;
    readonly ConcurrentQueue<string> lines = new();
    readonly ConcurrentQueue<string> errors = new();

    ServerProcess(Process process, string connectionString, Uri address)
    {
        this.process = process;
        ConnectionString = connectionString;
        Address = address;
    }

    public override string ConnectionString { get; }

    public override Uri Address { get; }

    public int ProcessId => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>The lines of the standard output so far.</summary>
    public IReadOnlyCollection<string> Lines => lines;

    /// <summary>The first errors and the last lines of the output, for messages.</summary>
    public string Log
    {
        get
        {
            var entries = lines.Select(Shorten).ToArray();
            var faults = entries
                .Where(entry => entry.Contains(" Error Resources.", StringComparison.Ordinal))
                .Take(3)
                .Concat(errors.TakeLast(15));
            return $"{Address} wrote last:\n{string.Join('\n', entries.TakeLast(15))}\n"
                + $"Its first errors:\n{string.Join('\n', faults)}";
        }
    }

    /// <summary>Starts a process and does not wait for it.</summary>
    /// <param name="at">The address of a node that has ended, to take its place; null = a new one.</param>
    public static ServerProcess Start(
        string connectionString,
        string clusterId,
        Uri? at = null,
        params (string Key, string Value)[] options
    ) => Start(Program, connectionString, clusterId, at, options);

    /// <summary>Starts another program that is a node, such as one with features of its own.</summary>
    /// <param name="program">The path of its assembly.</param>
    public static ServerProcess Start(
        string program,
        string connectionString,
        string clusterId,
        Uri? at,
        (string Key, string Value)[] options
    )
    {
        var address = at ?? new Uri($"http://127.0.0.1:{FreePort.Find()}");
        var settings = Configure(
            connectionString,
            [
                ("ASPNETCORE_URLS", address.ToString()),
                ("Cluster:ClusterId", clusterId),
                ("Cluster:AdvertisedAddress", "127.0.0.1"),
                ("Cluster:SiloPort", $"{FreePort.Find()}"),
                ("Cluster:GatewayPort", $"{FreePort.Find()}"),
                .. options,
            ]
        );
        var server = new ServerProcess(StartProcess(program, settings), connectionString, address);
        server.process.OutputDataReceived += (_, line) => Keep(server.lines, line.Data);
        server.process.ErrorDataReceived += (_, line) => Keep(server.errors, line.Data);
        server.process.BeginOutputReadLine();
        server.process.BeginErrorReadLine();
        return server;
    }

    /// <summary>Starts a process and waits until it is ready.</summary>
    public static async Task<ServerProcess> StartReadyAsync(
        string connectionString,
        string clusterId,
        params (string Key, string Value)[] options
    )
    {
        var server = Start(connectionString, clusterId, at: null, options);
        await server.ReadyAsync(Patience);
        return server;
    }

    /// <summary>Starts a process with these options and no others, and waits for its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        Dictionary<string, string> options,
        params string[] arguments
    )
    {
        using var process = StartProcess(Program, options, arguments);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            process.Kill();
            Assert.Fail($"The process goes on.\n{await output}\n{await errors}");
        }
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>Waits until the server is ready and returns how long that took.</summary>
    public async Task<TimeSpan> ReadyAsync(TimeSpan? within = null)
    {
        using var http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(2) };
        return await Eventually.HoldsAsync(
            async () =>
            {
                Assert.False(HasExited, $"The server has ended. {Log}");
                return await IsReadyAsync(http);
            },
            within ?? Patience,
            () => $"the server is ready. {Log}"
        );
    }

    /// <summary>Signs in as the administrator. The token is valid on every node of the cluster.</summary>
    public async Task<string> SignInAsync()
    {
        using var http = new HttpClient { BaseAddress = Address };
        using var answer = await http.PostAsJsonAsync(
            "/api/v1/auth/login",
            new { email = AdminEmail, password = AdminPassword },
            TestContext.Current.CancellationToken
        );
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode} {body}. {Log}");
        return body.GetProperty("data").GetProperty("accessToken").GetString()!;
    }

    /// <summary>A client of this node alone.</summary>
    public HttpClient Client(string token, TimeSpan? timeout = null) =>
        new()
        {
            BaseAddress = Address,
            Timeout = timeout ?? TimeSpan.FromSeconds(15),
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
        };

    /// <summary>kill -9.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public Task PauseAsync() => ProcessSignal.SendAsync("STOP", process.Id);

    public Task ResumeAsync() => ProcessSignal.SendAsync("CONT", process.Id);

    /// <summary>SIGTERM. Returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await ProcessSignal.SendAsync("TERM", process.Id);
        return await EndedAsync();
    }

    /// <summary>Waits for the end of the process and returns its exit code.</summary>
    public async Task<int> EndedAsync()
    {
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    public override async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            await KillAsync();
        process.Dispose();
    }

    static Process StartProcess(string program, Dictionary<string, string> settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = AppContext.BaseDirectory,
            Environment = { ["ASPNETCORE_ENVIRONMENT"] = "Production" },
        };
        foreach (var (key, value) in settings)
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        return Process.Start(start)!;
    }

    static async Task<bool> IsReadyAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync("/health/ready");
            return answer.StatusCode is HttpStatusCode.OK;
        }
        // .NET lets the socket's own fault through if the other end closes while a connection is made.
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or SocketException)
        {
            return false;
        }
    }

    static void Keep(ConcurrentQueue<string> output, string? line)
    {
        if (line is { Length: > 0 })
            output.Enqueue(line);
    }

    /// <summary>The parts of a JSON line that a reader wants first. The last line of a killed server may be cut.</summary>
    static string Shorten(string line)
    {
        if (!line.StartsWith('{') || !line.EndsWith('}'))
            return line;
        var entry = JsonElement.Parse(line);
        var text =
            $"{entry.GetProperty("time").GetString()} {entry.GetProperty("level").GetString()} "
            + $"{entry.GetProperty("category").GetString()}: {entry.GetProperty("message").GetString()}";
        if (entry.TryGetProperty("exception", out var exception))
            text += $" {exception.GetString()}";
        return text.Length > 1_000 ? text[..1_000] : text;
    }
}
