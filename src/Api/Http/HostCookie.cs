namespace Resources.Api;

/// <summary>
/// Cookies with the prefix <c>__Host-</c>: browsers take them only with Secure, for this host and path "/". They guard
/// the prefix only as it is written, so a name in other case is another cookie, which anybody may have set.
/// </summary>
public static class HostCookie
{
    /// <summary>The value of a cookie of exactly this name; null when the request has none.</summary>
    public static string? Read(HttpRequest request, string name)
    {
        foreach (var header in request.Headers.Cookie)
        foreach (var range in header.AsSpan().Split(';'))
        {
            var pair = header.AsSpan()[range].Trim(' ');
            if (
                pair.Length > name.Length
                && pair[name.Length] is '='
                && pair.StartsWith(name, StringComparison.Ordinal)
            )
                return pair[(name.Length + 1)..].ToString();
        }
        return null;
    }

    /// <summary>Sets a cookie that scripts cannot read and that other sites' pages do not send.</summary>
    public static void Set(HttpResponse response, string name, string value, TimeSpan lifetime) =>
        response.Cookies.Append(name, value, Options(lifetime));

    /// <summary>Tells the browser to delete a cookie.</summary>
    public static void Delete(HttpResponse response, string name) => response.Cookies.Delete(name, Options(null));

    static CookieOptions Options(TimeSpan? lifetime) =>
        new()
        {
            Secure = true,
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Path = "/",
            MaxAge = lifetime,
            IsEssential = true,
        };
}
