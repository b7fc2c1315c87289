using Microsoft.AspNetCore.Routing.Patterns;

namespace Resources.Api;

/// <summary>
/// An address has one spelling. Routing would take any case and a further slash; a proxy that guards an address would have
/// to know all of these.
/// </summary>
static class StrictPaths
{
    /// <summary>Middleware, behind routing: there is nothing at an address that is spelled otherwise.</summary>
    public static Task KeepAsync(HttpContext context, RequestDelegate next)
    {
        if (
            context.GetEndpoint() is RouteEndpoint { RoutePattern: var pattern }
            && !Spells(context.Request.Path, pattern)
        )
            context.SetEndpoint(null);
        return next(context);
    }

    /// <summary>Whether a path that fits a pattern is spelled as the pattern is.</summary>
    public static bool Spells(PathString asked, RoutePattern pattern)
    {
        var path = asked.Value ?? "";
        if (path is "/")
            return true;
        var at = 1;
        foreach (var segment in pattern.PathSegments)
        {
            // What is left of the pattern is optional, and may be left out with or without the slash before it.
            if (at >= path.Length)
                return true;
            var end = path.IndexOf('/', at) is >= 0 and var slash ? slash : path.Length;
            switch (segment.Parts)
            {
                case [RoutePatternLiteralPart literal] when !path.AsSpan(at, end - at).SequenceEqual(literal.Content):
                    return false;
                case [RoutePatternParameterPart { IsCatchAll: true }]:
                    return true;
            }
            at = end + 1;
        }
        return at > path.Length;
    }
}
