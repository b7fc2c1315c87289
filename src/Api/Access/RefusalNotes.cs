using System.Diagnostics;
using System.Threading.Channels;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>
/// Tells the audit of refusals: every 403, and API keys of this server that are not good any more. They are noted beside
/// the requests, and only so many of each minute; how many were left out is noted, too.
/// </summary>
public sealed class RefusalNotes : BackgroundService
{
    const string Guest = "guest";
    const string KeyHeader = "Bearer " + ApiKeyText.Prefix;
    const int MaxWaiting = 1_000;
    const int MaxPath = 200;

    static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);
    static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(2);

    readonly Channel<(AuditEvent Happened, Intent Intent)> waiting = Channel.CreateBounded<(AuditEvent, Intent)>(
        new BoundedChannelOptions(MaxWaiting) { SingleReader = true }
    );
    readonly RefusalSample sample;
    readonly AuditNotes notes;
    readonly ApiKeyText keys;
    readonly TimeProvider time;
    readonly ILogger<RefusalNotes> logger;

    public RefusalNotes(
        AuditOptions options,
        AuditNotes notes,
        ApiKeyText keys,
        TimeProvider time,
        ILogger<RefusalNotes> logger
    )
    {
        sample = new(options, time);
        this.notes = notes;
        this.keys = keys;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Middleware: looks at the status of the response.</summary>
    public async Task WatchAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        if (context.Response.StatusCode is 403)
            Note(context, new AccessRefused(context.Request.Method, PathOf(context), CodeOf(context)));
        else if (context.Response.StatusCode is 401 && KeyOf(context) is { } text)
            if (keys.Read(text) is { Id: var key })
                Note(context, new ApiKeyRefused(context.Request.Method, PathOf(context), key));
            else
                // Anybody can make up any number of them, and they tell nothing.
                sample.LeaveOut();
    }

    /// <summary>Notes what was refused last, if that is soon.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await FlushAsync()
            .WaitAsync(LastPatience, time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Loop("Noting refusals", logger) { Every = PollInterval, Time = time }.RunAsync(
            _ => FlushAsync(),
            stoppingToken
        );

    /// <summary>Notes that a part of a request was refused, whose response has another status.</summary>
    public void Note(HttpContext context, Caller caller) =>
        Note(context, new AccessRefused(context.Request.Method, PathOf(context), ProblemType.Forbidden.Code), caller);

    void Note(HttpContext context, AuditEvent happened) => Note(context, happened, Caller.Of(context.User));

    void Note(HttpContext context, AuditEvent happened, Caller? caller)
    {
        var address = context.Connection.RemoteIpAddress;
        if (!(caller is null ? sample.TakesOfGuest(address) : sample.Takes(caller.Id)))
            return;
        var intent = new Intent(
            Guid.CreateVersion7(),
            caller?.Id ?? Guest,
            Activity.Current?.TraceId.ToHexString(),
            null,
            Conditions.None,
            Session: caller?.Credential,
            Address: address?.ToString()
        );
        if (!waiting.Writer.TryWrite((happened, intent)))
            sample.LeaveOut();
    }

    async Task FlushAsync()
    {
        while (waiting.Reader.TryRead(out var refusal))
            await SendAsync(refusal.Intent, refusal.Happened, 1);
        if (sample.TakeLeftOut() is > 0 and var count)
            await SendAsync(Intent.OfNode(), new RefusalsLeftOut(count), count);
    }

    /// <summary>What cannot be noted now is counted, and told with what was left out.</summary>
    async Task SendAsync(Intent intent, AuditEvent happened, long count)
    {
        try
        {
            await notes.NoteAsync(intent, happened);
        }
        catch (Exception e) when (e is StoreUnavailableException || ClusterCalls.IsLostNode(e))
        {
            logger.LogWarning("{Count} refusals are not in the audit yet: {Reason}", count, e.Message);
            sample.LeaveOut(count);
        }
    }

    static string PathOf(HttpContext context) =>
        context.Request.Path.Value is { Length: > MaxPath } path ? path[..MaxPath] : context.Request.Path.Value ?? "/";

    static string CodeOf(HttpContext context) =>
        (context.Features.Get<ProblemType>() ?? ProblemType.Of(context.Response.StatusCode)).Code;

    /// <summary>The API key of a request; null when there is none.</summary>
    static string? KeyOf(HttpContext context) =>
        context.Request.Headers.Authorization is [{ } header]
        && header.StartsWith(KeyHeader, StringComparison.OrdinalIgnoreCase)
            ? header["Bearer ".Length..]
            : null;
}
