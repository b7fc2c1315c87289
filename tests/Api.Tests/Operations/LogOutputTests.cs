using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>The log that the program writes.</summary>
public sealed class LogOutputTests(Backend backend)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Subscriptions are looked after from the first moment, and grains have a place only later.</summary>
    [Fact]
    public async Task Start_and_stop_with_a_subscription_log_no_warning()
    {
        var database = await backend.CreateDatabaseAsync();
        (string, string)[] options = [("Cluster:ClusterId", "quiet"), ("Webhooks:AllowPrivateTargets", "true")];
        await using (var first = await ServerProcess.StartReadyAsync(database, "quiet", options))
        {
            using var client = first.Client(await first.SignInAsync());
            using var created = await client.PostAsJsonAsync(
                "/api/v1/subscriptions",
                new { name = "hook", delivery = new { kind = "webhook", url = "http://127.0.0.1:9/" } },
                Cancelled
            );
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
            Assert.Equal(0, await first.StopAsync());
        }
        await using var second = await ServerProcess.StartReadyAsync(database, "quiet", options);
        // The subscription is at work when it reports its position.
        await Eventually.HoldsAsync(
            async () =>
            {
                using var http = new HttpClient { BaseAddress = second.Address };
                var metrics = await http.GetStringAsync("/metrics", Cancelled);
                return metrics.Contains("resources_subscription_position", StringComparison.Ordinal);
            },
            TimeSpan.FromSeconds(30)
        );
        Assert.Equal(0, await second.StopAsync());

        Assert.DoesNotContain(second.Lines, line =>
            line.Contains("\"category\":\"Polly\"", StringComparison.Ordinal)
            || line.Contains("\"category\":\"Orleans.Messaging", StringComparison.Ordinal)
        );
    }

    [Fact]
    [Trait("Conformance", "J1")]
    public async Task Every_log_line_is_one_JSON_object_whatever_a_request_contains()
    {
        await using var program = await ServerProcess.StartReadyAsync(
            await backend.CreateDatabaseAsync(),
            $"{Guid.NewGuid():n}",
            ("Logging:LogLevel:Default", "Debug"),
            ("Logging:LogLevel:Microsoft.AspNetCore.Hosting", "Information")
        );
        const string Forged = "forged\u001b[31m\u2028\u0085{\"LogLevel\":\"Critical\"}";
        var escaped = Uri.EscapeDataString("\r\n" + Forged);
        await SayAsync(
            program,
            $"GET /api/v1/{escaped}?{escaped}={escaped} HTTP/1.1\r\nHost: here\r\nUser-Agent: "
                + $"{new string('u', 20_000)}\r\nContent-Type: text/{Forged}\r\nConnection: close\r\n\r\n"
        );
        await SayAsync(
            program,
            $"GET /api/v1/resources HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {Forged}\r\ntraceparent: "
                + $"{Forged}\r\nX-Forwarded-For: {Forged}\r\nConnection: close\r\n\r\n"
        );
        var login = JsonSerializer.Serialize(
            new { email = $"a\r\n{Forged}@example.org", password = $"{Forged}\r\n{new string('p', 100)}" }
        );
        await SayAsync(
            program,
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
                + $"Content-Length: {Encoding.UTF8.GetByteCount(login)}\r\nConnection: close\r\n\r\n{login}"
        );
        await SayAsync(program, $"GET /api/v1/resources HTTP/1.1\r\nHost: {Forged}\r\n\r\n");
        await Eventually.HoldsAsync(
            () =>
                program.Lines.Any(line =>
                    line.Contains("Request finished", StringComparison.Ordinal)
                    && line.Contains("/auth/login", StringComparison.Ordinal)
                ),
            TimeSpan.FromSeconds(20)
        );

        Assert.Contains(program.Lines, line => line.Contains("Resources listens at", StringComparison.Ordinal));
        Assert.Contains(program.Lines, line => line.Contains("forged", StringComparison.Ordinal));
        foreach (var line in program.Lines)
        {
            using var entry = JsonDocument.Parse(line);
            Assert.NotEqual("Critical", entry.RootElement.GetProperty("level").GetString());
            Assert.DoesNotContain(line, character => char.IsControl(character) || character is '\u2028' or '\u2029');
        }
    }

    /// <summary>Sends a raw request and waits for the end of the response.</summary>
    static async Task SayAsync(ServerProcess program, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(program.Address.Host, program.Address.Port, Cancelled);
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(request), Cancelled);
        await client.GetStream().CopyToAsync(Stream.Null, Cancelled);
    }
}
