using System.Globalization;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// Versions as entity tags. An encoded answer has the encoding behind the version (<c>"7-br"</c>); all forms name the
/// same version.
/// </summary>
public static class EntityTags
{
    static readonly string[] Encodings = ["-br", "-gzip"];

    static readonly string[] Common = [.. Enumerable.Range(0, 256).Select(version => $"\"{version}\"")];

    /// <summary>The entity tag of a version.</summary>
    public static string Of(long version) =>
        version < Common.Length ? Common[version] : string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>Reads If-Match and If-None-Match; headers that are not entity tags are faults.</summary>
    public static Conditions Read(HttpRequest request, List<Fault> faults)
    {
        var ifMatch = request.Headers.IfMatch;
        var ifNoneMatch = request.Headers.IfNoneMatch;
        if (ifMatch.Count is 0 && ifNoneMatch.Count is 0)
            return Conditions.None;
        var (any, versions) = Versions("If-Match", ifMatch, strong: true, faults);
        var (noneAny, noneVersions) = Versions("If-None-Match", ifNoneMatch, strong: false, faults);
        return new(any, versions, noneAny, noneVersions);
    }

    /// <summary>
    /// The client's own tag for a version that it holds already, if If-None-Match names one: the answer is then 304.
    /// </summary>
    public static string? Held(HttpRequest request, long version)
    {
        var header = request.Headers.IfNoneMatch;
        if (header.Count is 0 || !EntityTagHeaderValue.TryParseList(header, out var tags))
            return null;
        foreach (var tag in tags)
            if (tag == EntityTagHeaderValue.Any)
                return Of(version);
            else if (VersionOf(tag) == version)
                return tag.Tag.ToString();
        return null;
    }

    /// <summary>Whether If-None-Match names a weak tag, the one of a list.</summary>
    public static bool IsHeld(HttpRequest request, string weak)
    {
        var header = request.Headers.IfNoneMatch;
        return header.Count > 0
            && EntityTagHeaderValue.TryParseList(header, out var tags)
            && tags.Any(tag => tag == EntityTagHeaderValue.Any || weak.AsSpan(2).SequenceEqual(tag.Tag.AsSpan()));
    }

    /// <summary>Middleware: a strong tag names the bytes, so an encoded answer gets a tag of its own.</summary>
    public static Task DistinguishEncodingsAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.Vary = "Accept-Encoding";
        if (context.Request.Headers.AcceptEncoding.Count is 0)
            return next(context);
        context.Response.OnStarting(
            static state =>
            {
                var headers = ((HttpContext)state).Response.Headers;
                if (
                    headers.ContentEncoding is [{ } encoding]
                    && headers.ETag is [{ Length: > 2 } tag]
                    && tag.StartsWith('"')
                )
                    headers.ETag = $"{tag[..^1]}-{encoding}\"";
                return Task.CompletedTask;
            },
            context
        );
        return next(context);
    }

    static (bool Any, long[]? Versions) Versions(string name, StringValues header, bool strong, List<Fault> faults)
    {
        if (header.Count is 0)
            return (false, null);
        if (!EntityTagHeaderValue.TryParseStrictList(header, out var tags))
        {
            faults.Add(new("header:" + name, "INVALID_ENTITY_TAG", $"{name} takes entity tags such as \"3\", or *."));
            return (false, []);
        }
        return (
            tags.Contains(EntityTagHeaderValue.Any),
            [
                .. from tag in tags
                where !(strong && tag.IsWeak)
                let version = VersionOf(tag)
                where version is not null
                select version.Value,
            ]
        );
    }

    static long? VersionOf(EntityTagHeaderValue tag)
    {
        var text = tag.Tag.AsSpan().Trim('"');
        foreach (var encoding in Encodings)
            if (text.EndsWith(encoding, StringComparison.Ordinal))
                text = text[..^encoding.Length];
        return
            text is not ['0', ..] and not []
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : null;
    }
}
