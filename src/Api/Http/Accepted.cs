using Microsoft.Net.Http.Headers;

namespace Resources.Api;

/// <summary>What an Accept header says of media types (RFC 9110, 12.5.1).</summary>
/// <param name="ranges">The ranges of the header.</param>
readonly struct Accepted(IList<MediaTypeHeaderValue> ranges)
{
    /// <summary>Reads the header. Without one, or one that cannot be read, everything is as good.</summary>
    public static Accepted Read(HttpRequest request) =>
        request.Headers.Accept is { Count: > 0 } accept && MediaTypeHeaderValue.TryParseList(accept, out var ranges)
            ? new(ranges)
            : new([new("*/*")]);

    /// <summary>The weight of a media type, from 0 to 1: that of the most specific range that it is in.</summary>
    public double Weight(string type, string subtype) =>
        ranges
            .Where(range => Includes(range, type, subtype))
            .OrderBy(range =>
                range.MatchesAllTypes ? 2
                : range.MatchesAllSubTypes ? 1
                : 0
            )
            .FirstOrDefault()
            is { } best
            ? best.Quality ?? 1
            : 0;

    /// <summary>
    /// Whether the client asks for another form of what is JSON otherwise: it names the type, and prefers it or has no
    /// preference.
    /// </summary>
    public bool Prefers(string type, string subtype) =>
        ranges.Any(range => !range.MatchesAllSubTypes && Includes(range, type, subtype))
        && Weight(type, subtype) is > 0 and var weight
        && weight >= Weight("application", "json");

    static bool Includes(MediaTypeHeaderValue range, string type, string subtype) =>
        range.MatchesAllTypes
        || range.Type.Equals(type, StringComparison.OrdinalIgnoreCase)
            && (range.MatchesAllSubTypes || range.SubType.Equals(subtype, StringComparison.OrdinalIgnoreCase));
}
