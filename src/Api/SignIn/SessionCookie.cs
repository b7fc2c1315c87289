using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Primitives;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>The cookie of a browser's session, and what keeps other sites from using it.</summary>
public sealed class SessionCookie(SessionTokens tokens, SessionLimits sessions, OriginOptions origins)
{
    /// <summary>The prefix has browsers insist on Secure, on this host alone and on all paths.</summary>
    public const string Name = "__Host-session";

    /// <summary>The header in which a page sends its CSRF token.</summary>
    public const string CsrfHeader = "X-CSRF-Token";

    static readonly string[] Safe = ["GET", "HEAD", "OPTIONS"];

    public static string? Read(HttpRequest request) => request.Cookies[Name];

    /// <summary>Sets the cookie.</summary>
    public void Set(HttpResponse response, Guid session, int generation) =>
        response.Cookies.Append(
            Name,
            tokens.Cookie(session, generation),
            Options(TimeSpan.FromHours(sessions.AbsoluteHours))
        );

    /// <summary>Has the browser forget the session, and what it keeps of it.</summary>
    public static void Clear(HttpResponse response)
    {
        response.Cookies.Delete(Name, Options(null));
        response.Headers["Clear-Site-Data"] = "\"cache\", \"cookies\", \"storage\"";
    }

    /// <summary>
    /// Middleware: a request that a cookie authorises must come from a page of ours. Reading may also come without an
    /// origin; changing needs the page's CSRF token.
    /// </summary>
    public Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        if (Caller.Of(context.User) is not { Kind: CredentialKind.Cookie } caller)
            return next(context);
        var request = context.Request;
        if (!IsOurs(request))
            return Problems.WriteAsync(
                context,
                ProblemType.CsrfRejected,
                "Pages of this origin may not use this session."
            );
        // What is open to everyone needs no session, and so no proof that its page meant to use it.
        var isOpen = context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null;
        if (
            isOpen
            || Safe.Contains(request.Method)
            || tokens.IsCsrf(caller.Credential!.Value, request.Headers[CsrfHeader])
        )
            return next(context);
        return Problems.WriteAsync(
            context,
            ProblemType.CsrfRejected,
            $"A session by cookie needs its CSRF token in the header {CsrfHeader}."
        );
    }

    /// <summary>
    /// Whether a browser's request comes from a page of this host, or of an origin that is allowed by configuration.
    /// </summary>
    public bool IsOurs(HttpRequest request)
    {
        if (request.Headers.Origin is [{ } origin])
            return origins.Knows(origin, request);
        return request.Headers.Origin.Count is 0
            && (
                StringValues.IsNullOrEmpty(request.Headers["Sec-Fetch-Site"])
                || request.Headers["Sec-Fetch-Site"] is ["same-origin" or "none"]
            );
    }

    static CookieOptions Options(TimeSpan? life) =>
        new()
        {
            Secure = true,
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Path = "/",
            MaxAge = life,
            IsEssential = true,
        };
}
