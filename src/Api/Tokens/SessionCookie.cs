using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Primitives;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>The cookie of a browser session, and its protection against use by other sites.</summary>
public sealed class SessionCookie(SessionTokens tokens, SessionLimits sessions, OriginOptions origins)
{
    /// <summary>The prefix makes browsers require Secure, this host only, and path "/".</summary>
    public const string Name = "__Host-session";

    /// <summary>The header in which a page sends its CSRF token.</summary>
    public const string CsrfHeader = "X-CSRF-Token";

    /// <summary>A page of another site may not log its visitor in, under an account of its choice.</summary>
    public static Answer ForeignLogin =>
        Answer.Refused(ProblemType.CsrfRejected, "Pages of this origin may not start sessions here.");

    static readonly string[] Safe = ["GET", "HEAD", "OPTIONS"];

    public static string? Read(HttpRequest request) => HostCookie.Read(request, Name);

    /// <summary>Sets the cookie.</summary>
    public void Set(HttpResponse response, Guid session, int generation) =>
        HostCookie.Set(response, Name, tokens.Cookie(session, generation), TimeSpan.FromHours(sessions.AbsoluteHours));

    /// <summary>
    /// Tells the browser to delete the session's cookie and stored data. Its <see cref="DeviceCookie"/> stays: the owner
    /// will sign in there again.
    /// </summary>
    public static void Clear(HttpResponse response)
    {
        HostCookie.Delete(response, Name);
        response.Headers["Clear-Site-Data"] = "\"cache\", \"storage\"";
    }

    /// <summary>
    /// Middleware: a request with a session cookie must come from an allowed page. Reads may also come without an
    /// origin; changes need the page's CSRF token, and WebSockets an origin, which every browser sends with them.
    /// </summary>
    public Task GuardAsync(HttpContext context, RequestDelegate next) =>
        Refusal(context) is { } refusal ? refusal.ExecuteAsync(context) : next(context);

    Answer? Refusal(HttpContext context)
    {
        if (Caller.Of(context.User) is not { Kind: CredentialKind.Cookie } caller)
            return null;
        var request = context.Request;
        if (!IsOurs(request))
            return Answer.Refused(ProblemType.CsrfRejected, "Pages of this origin may not use this session.");
        if (OpensSocket(context) && request.Headers.Origin.Count is 0)
            return Answer.Refused(ProblemType.CsrfRejected, "A WebSocket that uses a cookie session needs an Origin.");
        // Open endpoints use no session, so they need no proof that the page meant to use it.
        var isOpen = context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null;
        return
            isOpen
            || Safe.Contains(request.Method)
            || tokens.IsCsrf(caller.Credential!.Value, request.Headers[CsrfHeader])
            ? null
            : Answer.Refused(
                ProblemType.CsrfRejected,
                $"Cookie sessions must send their CSRF token in the header {CsrfHeader}."
            );
    }

    /// <summary>
    /// Whether a browser's request comes from a page of this host or of a configured origin.
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

    /// <summary>Whether a request asks for a WebSocket: by an upgrade, or by CONNECT over HTTP/2.</summary>
    static bool OpensSocket(HttpContext context) =>
        !StringValues.IsNullOrEmpty(context.Request.Headers.Upgrade) || context.Request.Method is "CONNECT";
}
