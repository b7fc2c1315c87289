using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// Sends single events to targets, signed as Standard Webhooks asks. Whatever a target does comes back as an outcome.
/// </summary>
sealed class WebhookSender : IDisposable
{
    const int MaxRead = 64 * 1024;
    const int Gone = (int)HttpStatusCode.Gone;

    static readonly TimeSpan MaxRetryAfter = TimeSpan.FromDays(1);

    readonly TimeProvider time;
    readonly TimeSpan timeout;
    readonly HttpMessageInvoker http;

    public WebhookSender(WebhookTargets targets, WebhookOptions options, TimeProvider time)
    {
        this.time = time;
        timeout = TimeSpan.FromSeconds(options.TimeoutSeconds);
        http = new(
            new SocketsHttpHandler
            {
                ConnectCallback = targets.ConnectAsync,
                AllowAutoRedirect = false,
                UseProxy = false,
                UseCookies = false,
                Credentials = null,
                ActivityHeadersPropagator = null,
                AutomaticDecompression = DecompressionMethods.None,
                MaxResponseHeadersLength = MaxRead / 1024,
                MaxResponseDrainSize = MaxRead,
                PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            }
        );
    }

    /// <summary>Sends one event.</summary>
    /// <param name="ct">Gives up, and throws.</param>
    public async Task<DeliveryOutcome> SendAsync(WebhookTarget target, LogEvent logged, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        var now = time.GetUtcNow();
        var id = logged.Id.ToString();
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Url)
        {
            Content = new ReadOnlyMemoryContent(logged.Json)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/cloudevents+json") },
            },
            Headers =
            {
                { "webhook-id", id },
                { "webhook-timestamp", now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) },
                { "webhook-signature", target.Sign(id, now, logged.Json.Span) },
                { "user-agent", "Resources-Webhooks" },
            },
        };
        request.Options.Set(WebhookTargets.Owner, target.Owner.ToString());
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(timeout);
        DeliveryOutcome Failed(string why, int? status = null) =>
            new(status, why, (int)time.GetElapsedTime(started).TotalMilliseconds);
        try
        {
            // Nobody needs the body. The handler drains a small one, so that the connection can be reused.
            using var answer = await http.SendAsync(request, limit.Token);
            var status = (int)answer.StatusCode;
            if (answer.IsSuccessStatusCode)
                return Failed("", status) with { Error = null };
            var why = status switch
            {
                >= 300 and < 400 => $"The target answered {status}; redirects are not followed.",
                Gone => "The target answered 410 Gone.",
                _ => $"The target answered {status}.",
            };
            return Failed(why, status) with
            {
                RetryAfter = RetryAfter(answer.Headers.RetryAfter, now),
                SlowDown = status is 429 or 502 or 503 or 504,
                Gone = status is Gone,
            };
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Failed($"The target did not answer within {timeout.TotalSeconds} s.");
        }
        catch (HttpRequestException e)
        {
            return Failed(
                e.InnerException is WebhookTargetException forbidden
                    ? forbidden.Message
                    : $"The target could not be reached ({e.HttpRequestError})."
            );
        }
    }

    public void Dispose() => http.Dispose();

    static TimeSpan? RetryAfter(RetryConditionHeaderValue? asked, DateTimeOffset now) =>
        (asked?.Delta ?? asked?.Date - now) is { } delay && delay > TimeSpan.Zero
            ? delay < MaxRetryAfter
                ? delay
                : MaxRetryAfter
            : null;
}
