using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;

namespace Resources.Cluster.Tests;

/// <summary>
/// A whole node as its operator runs it: a process of the built Resources.Api.dll, which can be killed, paused and
/// stopped.
/// </summary>
internal sealed class ApiNode : IAsyncDisposable
{
    const string Email = "admin@localhost";
    const string Password = "a password for tests only";

    static readonly string Assembly = Path.Combine(AppContext.BaseDirectory, "Resources.Api.dll");
    static readonly string MasterKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    readonly Process process;
    readonly Queue<string> log = new();
    readonly List<string> errors = [];

    ApiNode(Process process, Uri address)
    {
        this.process = process;
        Address = address;
    }

    public Uri Address { get; }

    public int ProcessId => process.Id;

    public bool HasExited => process.HasExited;

    /// <summary>The end of what the node has written, and its first errors, for messages.</summary>
    public string Log
    {
        get
        {
            lock (log)
                return $"{Address} wrote last:\n{string.Join('\n', log)}\nIts first errors:\n{string.Join('\n', errors)}";
        }
    }

    /// <summary>Starts a process and does not wait for it to serve.</summary>
    /// <param name="options">Configuration beyond what all nodes have.</param>
    /// <param name="at">The address of a node that has ended, to take its place; null = a new one.</param>
    public static ApiNode Start(
        string connectionString,
        string clusterId,
        int drainSeconds = 0,
        Uri? at = null,
        params (string Name, string Value)[] options
    )
    {
        var address = at ?? new Uri($"http://127.0.0.1:{FreePort.Find()}");
        var start = new ProcessStartInfo("dotnet", [Assembly])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = AppContext.BaseDirectory,
            Environment =
            {
                ["ConnectionStrings__Resources"] = connectionString,
                ["ASPNETCORE_ENVIRONMENT"] = "Production",
                ["ASPNETCORE_URLS"] = address.ToString(),
                ["Secrets__MasterKey"] = MasterKey,
                ["Bootstrap__AdminEmail"] = Email,
                ["Bootstrap__AdminPassword"] = Password,
                ["RateLimits__Default__Permits"] = "1000000000",
                ["RateLimits__Login__Permits"] = "1000000",
                ["RateLimits__LoginAccount__Permits"] = "1000000",
                ["RateLimits__Streams__Permits"] = "1000000",
                ["RateLimits__Mfa__Permits"] = "1000000",
                ["Tokens__AccessMinutes"] = "60",
                ["Cluster__ClusterId"] = clusterId,
                ["Cluster__AdvertisedAddress"] = "127.0.0.1",
                ["Cluster__SiloPort"] = $"{FreePort.Find()}",
                ["Cluster__GatewayPort"] = $"{FreePort.Find()}",
                ["Webhooks__AllowPrivateTargets"] = "true",
                ["Webhooks__RetrySeconds"] = "0.2,0.2,0.5,1,2,5,5,5,5",
                ["Shutdown__DrainSeconds"] = $"{drainSeconds}",
            },
        };
        foreach (var (name, value) in options)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        var node = new ApiNode(process, address);
        process.OutputDataReceived += node.Keep;
        process.ErrorDataReceived += node.Keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return node;
    }

    /// <summary>Starts a process and waits until it is ready.</summary>
    public static async Task<ApiNode> StartReadyAsync(string connectionString, string clusterId, int drainSeconds = 0)
    {
        var node = Start(connectionString, clusterId, drainSeconds);
        await node.ReadyAsync(TimeSpan.FromSeconds(60));
        return node;
    }

    /// <summary>Waits until the node can serve; answers how long that took.</summary>
    public async Task<TimeSpan> ReadyAsync(TimeSpan within)
    {
        using var http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(2) };
        var watch = Stopwatch.StartNew();
        while (await StatusAsync(http, "/health/ready") is not HttpStatusCode.OK)
        {
            Assert.False(HasExited, $"The node ended. {Log}");
            Assert.True(watch.Elapsed < within, $"The node is not ready after {watch.Elapsed}. {Log}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        return watch.Elapsed;
    }

    /// <summary>Signs in as the administrator; the token is good on every node of the cluster.</summary>
    public async Task<string> SignInAsync()
    {
        using var http = new HttpClient { BaseAddress = Address };
        using var answer = await http.PostAsJsonAsync(
            "/api/v1/auth/login",
            new { email = Email, password = Password },
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

    /// <summary>SIGTERM; answers the exit code.</summary>
    public async Task<int> StopAsync()
    {
        await ProcessSignal.SendAsync("TERM", process.Id);
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
            await KillAsync();
        process.Dispose();
    }

    static async Task<HttpStatusCode?> StatusAsync(HttpClient http, string path)
    {
        try
        {
            using var answer = await http.GetAsync(path);
            return answer.StatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (log)
        {
            var text = Shorten(line.Data);
            if (text.Contains(" Error Resources.", StringComparison.Ordinal) && errors.Count < 3)
                errors.Add(text);
            log.Enqueue(text);
            if (log.Count > 15)
                log.Dequeue();
        }
    }

    /// <summary>
    /// Of a line of JSON, what a reader wants first. The last one of a node that was killed may be cut.
    /// </summary>
    static string Shorten(string line)
    {
        if (!line.StartsWith('{') || !line.EndsWith('}'))
            return line;
        var entry = JsonElement.Parse(line);
        var text =
            $"{entry.GetProperty("Timestamp").GetString()} {entry.GetProperty("LogLevel").GetString()} {entry.GetProperty("Category").GetString()}: {entry.GetProperty("Message").GetString()}";
        if (entry.TryGetProperty("Exception", out var exception))
            text += $" {exception.GetString()}";
        return text.Length > 1_000 ? text[..1_000] : text;
    }
}
