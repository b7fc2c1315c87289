using System.Collections.Concurrent;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// The outcome of a request: data, nothing but a status, or a refusal, with what its headers say. Handlers return it,
/// and <see cref="ExecuteAsync"/> is the only place that writes it.
/// </summary>
public abstract class Answer : IResult
{
    public int Status { get; init; } = StatusCodes.Status200OK;

    /// <summary>The entity tag of what is answered.</summary>
    public string? EntityTag { get; init; }

    /// <summary>The position of the log that the answer reflects.</summary>
    public long? Position { get; init; }

    /// <summary>Where what was created can be read.</summary>
    public string? Location { get; init; }

    /// <summary>Whether it repeats the answer to the first request with the same Idempotency-Key.</summary>
    public bool Replayed { get; init; }

    /// <summary>Whether the caller's own cache may keep it and ask whether it still holds.</summary>
    public bool IsCacheable { get; init; }

    /// <summary>Headers of this answer alone.</summary>
    public (string Name, string Value)[] Headers { get; init; } = [];

    /// <summary>Data in the envelope of every success.</summary>
    public static Answer<T> Of<T>(T data)
        where T : notnull => new(data);

    /// <summary>A status without a body.</summary>
    public static Answer Empty(int status = StatusCodes.Status204NoContent) => new EmptyAnswer { Status = status };

    /// <summary>304: the client has it already.</summary>
    public static Answer NotModified(string entityTag, long? position = null) =>
        new EmptyAnswer
        {
            Status = StatusCodes.Status304NotModified,
            EntityTag = entityTag,
            Position = position,
            IsCacheable = true,
        };

    /// <summary>A refusal.</summary>
    /// <param name="retryAfter">Seconds to wait before another try; null = not said, or the standard of the type.</param>
    /// <param name="violatedPolicy">The rate limit that is used up.</param>
    public static Answer Refused(
        ProblemType type,
        string detail,
        IReadOnlyList<Fault>? faults = null,
        int? retryAfter = null,
        string? violatedPolicy = null,
        params (string Name, string Value)[] headers
    ) =>
        new RefusedAnswer(type, detail, faults, violatedPolicy)
        {
            Headers = retryAfter is { } seconds ? [.. headers, ("Retry-After", Responses.Text(seconds))] : headers,
        };

    /// <summary>The refusal of a grain or the door; a version mismatch carries the current entity tag.</summary>
    public static Answer Refused(Rejection rejection) =>
        new RefusedAnswer(ProblemType.Of(rejection.Kind), rejection.Detail, rejection.Faults, null, rejection)
        {
            EntityTag = rejection is { Kind: Refusal.VersionMismatch, Version: { } version }
                ? EntityTags.Of(version)
                : null,
        };

    /// <summary>Bad input, all faults at once.</summary>
    public static Answer Invalid(IReadOnlyList<Fault> faults) =>
        Refused(ProblemType.ValidationFailed, Problems.Summary(faults), faults);

    /// <summary>415, with the media types that are supported.</summary>
    public static Answer UnsupportedMediaType(string method, params string[] mediaTypes) =>
        new RefusedAnswer(
            ProblemType.UnsupportedMediaType,
            $"Send {string.Join(" or ", mediaTypes)} in UTF-8, without a content coding.",
            null,
            null
        )
        {
            Headers = [(method is "PATCH" ? "Accept-Patch" : "Accept-Post", string.Join(", ", mediaTypes))],
        };

    /// <inheritdoc cref="Refused(Rejection)"/>
    public static implicit operator Answer(Rejection rejection) => Refused(rejection);

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        if (EntityTag is not null)
            response.Headers.ETag = EntityTag;
        if (Position is { } position)
            Responses.SetPosition(httpContext, position);
        if (Location is not null)
            response.Headers.Location = Location;
        if (Replayed)
            response.Headers["Idempotency-Replayed"] = "true";
        if (IsCacheable)
            response.Headers.CacheControl = "private, no-cache";
        foreach (var (name, value) in Headers)
            response.Headers[name] = value;
        return WriteBodyAsync(httpContext);
    }

    /// <summary>Writes the body; status and headers are set.</summary>
    protected abstract Task WriteBodyAsync(HttpContext context);

    sealed class RefusedAnswer(
        ProblemType type,
        string detail,
        IReadOnlyList<Fault>? faults,
        string? violatedPolicy,
        Rejection? rejection = null
    ) : Answer
    {
        protected override Task WriteBodyAsync(HttpContext context) =>
            Problems.WriteAsync(context, type, detail, faults, violatedPolicy, rejection);
    }
}

/// <summary>A status without a body.</summary>
public sealed class EmptyAnswer : Answer
{
    protected override Task WriteBodyAsync(HttpContext context) => Task.CompletedTask;
}

/// <summary>A body that the handler writes by itself, as it comes: a stream.</summary>
public sealed class StreamedAnswer(Func<HttpContext, Task> write) : Answer
{
    protected override Task WriteBodyAsync(HttpContext context) => write(context);
}

/// <summary>Data in the envelope of every success.</summary>
public sealed class Answer<T>(T data) : Answer
    where T : notnull
{
    public T Data { get; } = data;

    public PageMeta? Page { get; init; }

    /// <summary>How many there are in all, where it was asked for.</summary>
    public long? Count { get; init; }

    protected override Task WriteBodyAsync(HttpContext context)
    {
        var services = context.RequestServices;
        var meta = new Meta(
            services.GetRequiredService<TimeProvider>().GetUtcNow(),
            context.TraceIdentifier,
            Position is { } position ? Responses.Text(position) : null,
            Page,
            Count
        );
        return Responses.WriteAsync(
            context,
            new Envelope<T>(Data, meta),
            services.GetRequiredService<AnswerJson>().Of<Envelope<T>>(),
            "application/json"
        );
    }
}

/// <summary>A document by itself, where others define its form: probes and published lists.</summary>
public sealed class BareAnswer<T>(T document) : Answer
{
    protected override Task WriteBodyAsync(HttpContext context) =>
        Responses.WriteAsync(
            context,
            document,
            context.RequestServices.GetRequiredService<AnswerJson>().Of<T>(),
            "application/json"
        );
}

/// <summary>The serialisers of all features.</summary>
public sealed class AnswerJson(IReadOnlyList<JsonSerializerContext> contexts)
{
    readonly ConcurrentDictionary<Type, JsonTypeInfo> known = new();

    /// <summary>The serialiser of a type.</summary>
    /// <exception cref="InvalidOperationException">No feature names the type in its JSON context.</exception>
    public JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)known.GetOrAdd(typeof(T), Find);

    JsonTypeInfo Find(Type type) =>
        contexts.Select(context => context.GetTypeInfo(type)).FirstOrDefault(found => found is not null)
        ?? throw new InvalidOperationException($"No feature's JSON context has {type}.");
}
