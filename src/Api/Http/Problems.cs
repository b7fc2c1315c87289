using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.Features;
using Orleans.Runtime;
using Resources.Grains;

namespace Resources.Api;

/// <summary>The body of every failure (RFC 9457 with our members).</summary>
/// <param name="Change">The change of a type that refuses, or was refused.</param>
/// <param name="Allowed">What would be allowed in place of what was asked.</param>
/// <param name="Referrers">Resources that refer to the one that was to be deleted, of those within the caller's reach.</param>
/// <param name="Checked">How many stored resources were compared with a change of their type.</param>
/// <param name="Offending">How many of them contradict it.</param>
/// <param name="Examples">The first of those.</param>
public sealed record Problem(
    string Type,
    string Title,
    int Status,
    string Detail,
    string Instance,
    bool Success,
    string Error,
    [property: RegularExpression("^[A-Z0-9_]+$")] string Code,
    string? TraceId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<Fault>? Errors = null,
    [property: JsonPropertyName("violated-policies"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        string[]? ViolatedPolicies = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Change = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string[]? Allowed = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Referrers? Referrers = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Checked = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Offending = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] TypeOffender[]? Examples = null
);

/// <summary>Writes failures, and turns exceptions into them. Nothing of an exception reaches the client.</summary>
public static class Problems
{
    /// <summary>Answers a failure as a problem document.</summary>
    public static Task WriteAsync(
        HttpContext context,
        ProblemType type,
        string detail,
        IReadOnlyList<Fault>? faults = null,
        string? violatedPolicy = null,
        Rejection? rejection = null
    )
    {
        var response = context.Response;
        // For whoever wants to know why a request was refused.
        context.Features.Set(type);
        response.StatusCode = type.Status;
        response.Headers.CacheControl = "no-store";
        var passes = type.Status is 503 || rejection?.Kind is Refusal.IndexBuilding;
        if (passes && response.Headers.RetryAfter.Count is 0)
            response.Headers.RetryAfter = "1";
        if (type.Status is 401 && response.Headers.WWWAuthenticate.Count is 0)
            response.Headers.WWWAuthenticate = "Bearer";
        var problem = new Problem(
            type.Uri,
            type.Title,
            type.Status,
            detail,
            context.Request.Path.Value ?? "/",
            false,
            detail,
            type.Code,
            Activity.Current?.TraceId.ToHexString(),
            faults,
            violatedPolicy is null ? null : [violatedPolicy],
            rejection?.Change,
            rejection?.Allowed,
            rejection?.Referrers,
            rejection?.Report?.Checked,
            rejection?.Report?.Offending,
            rejection?.Report?.Examples
        );
        return Responses.WriteAsync(context, problem, HttpJson.Default.Problem, "application/problem+json");
    }

    /// <summary>Answers bad input, all faults at once.</summary>
    public static Task InvalidAsync(HttpContext context, IReadOnlyList<Fault> faults) =>
        WriteAsync(context, ProblemType.ValidationFailed, Summary(faults), faults);

    /// <summary>The detail of bad input: the only fault, or how many there are.</summary>
    public static string Summary(IReadOnlyList<Fault> faults) =>
        faults is [var only] ? only.Detail : $"The request has {faults.Count} faults; see 'errors'.";

    /// <summary>Answers a grain's refusal; a version mismatch carries the current ETag.</summary>
    public static Task RefuseAsync(HttpContext context, Rejection rejection)
    {
        if (rejection is { Kind: Refusal.VersionMismatch, Version: { } version })
            context.Response.Headers.ETag = EntityTags.Of(version);
        return WriteAsync(
            context,
            ProblemType.Of(rejection.Kind),
            rejection.Detail,
            rejection.Faults,
            rejection: rejection
        );
    }

    /// <summary>Middleware: whatever is thrown becomes a problem; statuses without a body get one.</summary>
    public static async Task HandleAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: >= 400, ContentType: null })
                await WriteAsync(context, ProblemType.Of(context.Response.StatusCode), Explain(context));
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be answered.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            var (type, detail) = Tell(e, context);
            // Where one request ends and the next begins is not known any more.
            if (e is BadHttpRequestException)
                context.Response.Headers.Connection = "close";
            await WriteAsync(context, type, detail);
        }
    }

    /// <summary>The problem that an exception is, and what the client is told; the log is told the rest.</summary>
    internal static (ProblemType Type, string Detail) Tell(Exception e, HttpContext context)
    {
        var (type, detail) = Classify(e, context);
        var log = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Resources.Api.Problems");
        if (type.Status is 500)
            log.LogError(e, "{Method} {Path} failed", context.Request.Method, context.Request.Path.Value);
        else if (type.Status is 503)
            log.LogWarning("{Method} {Path}: {Reason}", context.Request.Method, context.Request.Path.Value, e.Message);
        return (type, detail);
    }

    static (ProblemType, string) Classify(Exception e, HttpContext context) =>
        e switch
        {
            ProblemException problem => (problem.Type, problem.Message),
            BadHttpRequestException bad => (
                ProblemType.Of(bad.StatusCode),
                bad.StatusCode switch
                {
                    408 => "The body came too slowly.",
                    413 => $"A body may have {MaxBody(context)} bytes here.",
                    _ => "The request is not valid HTTP.",
                }
            ),
            Silo.TooMuchReadException => (
                ProblemType.ValidationFailed,
                "What the rows refer to has more metadata than one answer may have. Ask for fewer rows."
            ),
            Projections.QueryTimeoutException => (
                ProblemType.QueryTimeout,
                $"No query may take longer than {Projections.QueryTimeoutException.MaxTime.TotalSeconds:F0} s. "
                    + "Narrow it: by type, status or owner, or by a metadata value or a word that few resources have."
            ),
            SearchesBusyException => (
                ProblemType.SearchesBusy,
                "Too many filters and searches are under way at this node."
            ),
            AnswersNotReceivedException => (ProblemType.Overloaded, ResponseMemory.Refusal),
            ReadMemoryFullException => (
                ProblemType.Overloaded,
                "This node keeps as much of responses that clients have not received as it can. Try again in a moment."
            ),
            StoreOverloadedException => (
                ProblemType.Overloaded,
                "Every connection to the store has been in use for seconds. Try again in a moment."
            ),
            _ when ClusterCalls.IsLostNode(e) => (
                ProblemType.ClusterUnavailable,
                "A node was lost during the request; whether a write took effect is unknown. Send it again with the same Idempotency-Key."
            ),
            _ when StoreUnavailableException.Explains(e) => (
                ProblemType.StoreUnavailable,
                "The store does not answer; whether a write took effect is unknown. Send it again with the same Idempotency-Key."
            ),
            _ => (ProblemType.InternalError, "The fault was logged under the trace id."),
        };

    static long? MaxBody(HttpContext context) =>
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;

    static string Explain(HttpContext context) =>
        context.Response.StatusCode switch
        {
            401 => "Send a valid access token: Authorization: Bearer <token>.",
            403 => "The caller lacks the permission for this.",
            404 => "There is nothing at this address.",
            405 => $"{context.Request.Method} is not allowed here; see the Allow header.",
            415 => "The body's media type is not supported.",
            _ => ProblemType.Of(context.Response.StatusCode).Title + ".",
        };
}
