using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Resources.Api;

/// <summary>
/// The most that a request line and headers may have. The listener takes twice as much, because it refuses without a body;
/// what lies between is refused here, with a problem document.
/// </summary>
static class RequestBounds
{
    /// <summary>
    /// A filter of 4,096 characters takes 48 KiB when each is four bytes in UTF-8, and each of those is escaped.
    /// </summary>
    const int MaxTarget = 64 * 1024;

    const int MaxHeaders = 32 * 1024;
    const int MaxHeaderCount = 100;

    /// <summary>What surrounds a header's name and value on the wire.</summary>
    const int HeaderMarks = 4;

    public static void Set(KestrelServerLimits limits)
    {
        limits.MaxRequestLineSize = 2 * MaxTarget;
        limits.MaxRequestHeadersTotalSize = 2 * MaxHeaders;
        limits.MaxRequestHeaderCount = 2 * MaxHeaderCount;
    }

    /// <summary>Middleware: refuses what is beyond the bounds.</summary>
    public static Task RefuseAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Length > MaxTarget)
            return Problems.WriteAsync(
                context,
                ProblemType.UriTooLong,
                $"Path and query may have {MaxTarget} bytes, escapes included."
            );
        var headers = context.Request.Headers;
        var size = 0;
        foreach (var (name, values) in headers)
        foreach (var value in values)
            size += name.Length + HeaderMarks + (value?.Length ?? 0);
        return headers.Count > MaxHeaderCount || size > MaxHeaders
            ? Problems.WriteAsync(
                context,
                ProblemType.HeadersTooLarge,
                $"A request may have {MaxHeaderCount} headers, with {MaxHeaders} bytes in all."
            )
            : next(context);
    }
}
