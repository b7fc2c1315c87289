using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Resources.Tests;

/// <summary>A request to a receiver.</summary>
/// <param name="Status">What it answered.</param>
public sealed record Received(
    string Path,
    IReadOnlyDictionary<string, string> Headers,
    byte[] Body,
    int Status,
    DateTimeOffset At
)
{
    public string WebhookId => Headers["webhook-id"];

    public string[] Signatures => Headers["webhook-signature"].Split(' ');

    public JsonElement Event { get; } = JsonElement.Parse(Body);

    public string Type => Event.GetProperty("type").GetString()!;

    public string Resource => Event.GetProperty("subject").GetString()!;

    public long Version => Event.GetProperty("resourceversion").GetInt64();

    /// <summary>Whether one of the signatures is that of the secret over these bytes.</summary>
    public bool IsSignedWith(string secret, byte[]? body = null)
    {
        var key = Convert.FromBase64String(secret["whsec_".Length..]);
        byte[] signed = [.. Encoding.UTF8.GetBytes($"{WebhookId}.{Headers["webhook-timestamp"]}."), .. body ?? Body];
        return Signatures.Contains("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed)));
    }
}

/// <summary>An HTTP server on this machine that accepts events and responds as a test wants.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    /// <summary>Options of a server that may deliver to this machine and tries again soon.</summary>
    public static readonly (string Key, string Value)[] ServerOptions =
    [
        ("Webhooks:AllowPrivateTargets", "true"),
        ("Webhooks:RetrySeconds", "0.2,0.2,0.5,1,2,5,5,5,5"),
    ];

    readonly WebApplication app;
    readonly ConcurrentQueue<Received> received = new();

    WebhookReceiver(WebApplication app) => this.app = app;

    /// <summary>The URL for events.</summary>
    public Uri Url => new(new Uri(app.Urls.Single()), "/hook");

    /// <summary>All requests, in order of arrival.</summary>
    public Received[] All => [.. received];

    public IEnumerable<Received> Taken => received.Where(request => request.Status is >= 200 and < 300);

    /// <summary>The answer to a request; 200 where this says nothing else.</summary>
    public Func<Received, HttpResponse, Task<int>> Answer { get; set; } = (_, _) => Task.FromResult(200);

    /// <summary>Answers with a status.</summary>
    public void AnswerWith(Func<Received, int> status) => Answer = (request, _) => Task.FromResult(status(request));

    public static async Task<WebhookReceiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new WebhookReceiver(builder.Build());
        receiver.app.Run(receiver.TakeAsync);
        await receiver.app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();

    async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = new Received(
            context.Request.Path,
            context.Request.Headers.ToDictionary(
                header => header.Key.ToLowerInvariant(),
                header => header.Value.ToString()
            ),
            body.ToArray(),
            0,
            DateTimeOffset.UtcNow
        );
        var status = await Answer(request, context.Response);
        received.Enqueue(request with { Status = status });
        context.Response.StatusCode = status;
    }

    public override string ToString() =>
        string.Join(
            '\n',
            received.Select(request =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{request.At:HH:mm:ss.fff} {request.Status} {request.Resource} {request.Version} {request.Type} {request.WebhookId}"
                )
            )
        );
}
