using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>A client of server-sent events, as in the HTML standard.</summary>
sealed class Subscriber : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    readonly HttpClient http = new() { Timeout = Timeout.InfiniteTimeSpan };
    readonly CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken
    );
    IAsyncEnumerator<SseItem<string>> items = null!;

    Subscriber() => enough.CancelAfter(TimeSpan.FromMinutes(2));

    /// <summary>The head of the response, whose body is still open.</summary>
    public HttpResponseMessage Response { get; private set; } = null!;

    /// <summary>Opens a stream; one that is refused has only its head.</summary>
    /// <param name="lastEventId">What a client that comes back says that it has.</param>
    public static async Task<Subscriber> OpenAsync(Uri address, string? token, string path, string? lastEventId = null)
    {
        var subscriber = new Subscriber();
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(address, path));
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (lastEventId is not null)
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        subscriber.Response = await subscriber.http.SendAsync(
            request,
            HttpCompletionOption.ResponseHeadersRead,
            subscriber.enough.Token
        );
        await ApiDocument.CheckAsync(request, subscriber.Response, null);
        subscriber.items = SseParser
            .Create(await subscriber.Response.Content.ReadAsStreamAsync(subscriber.enough.Token))
            .EnumerateAsync(subscriber.enough.Token)
            .GetAsyncEnumerator(subscriber.enough.Token);
        return subscriber;
    }

    /// <summary>The next item; null at the end of the stream. The test fails if none arrives in time.</summary>
    public async Task<SseItem<string>?> NextAsync(TimeSpan? within = null) =>
        await items.MoveNextAsync().AsTask().WaitAsync(within ?? Patience) ? items.Current : null;

    /// <summary>The next event of a resource; other items are skipped.</summary>
    public async Task<SseItem<string>> EventAsync()
    {
        while (await NextAsync() is { } item)
            if (item.EventType.StartsWith("resource.", StringComparison.Ordinal))
                return item;
        throw new EndOfStreamException("The stream has ended.");
    }

    /// <summary>All events up to the end of the log.</summary>
    public async Task<List<SseItem<string>>> CatchUpAsync()
    {
        var events = new List<SseItem<string>>();
        while (await NextAsync() is { } item)
        {
            if (item.EventType is "caught-up")
                return events;
            events.Add(item);
        }
        throw new EndOfStreamException("The stream has ended.");
    }

    /// <summary>The resource of an event.</summary>
    public static Guid Subject(SseItem<string> item) =>
        JsonDocument.Parse(item.Data).RootElement.GetProperty("subject").GetGuid();

    /// <summary>Reads until the server ends the stream.</summary>
    public async Task ToEndAsync()
    {
        while (await NextAsync() is not null)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    public async ValueTask DisposeAsync()
    {
        await enough.CancelAsync();
        Response.Dispose();
        http.Dispose();
        enough.Dispose();
    }
}
