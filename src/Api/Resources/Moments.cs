using System.Globalization;
using System.Text.RegularExpressions;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Reads <c>version</c> and <c>at</c>: the point in the past that a read asks for.</summary>
static partial class Moments
{
    static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:ssK"];

    public static async Task<Moment?> ReadAsync(QueryReader query, ReadIndex index, CancellationToken ct)
    {
        var (version, at) = (query.Number("version", 1), query.Text("at"));
        if (at is null) return version is null ? null : new(Version: version);
        if (query.Text("version") is not null) query.Fail<Moment>("at", "and version exclude each other");
        else if (at is not [] && at.All(char.IsAsciiDigit))
        {
            if (!long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var position) || position > await index.HeadAsync(ct)) return query.Fail<Moment>("at", "is a position that the log has not reached");
            return new(Position: position);
        }
        else if (Rfc3339().Match(at) is not { Success: true } match || !DateTimeOffset.TryParseExact(Parsable(match), Formats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
            query.Fail<Moment>("at", "takes an RFC 3339 time such as 2026-01-31T12:00:00Z, or a position");
        else if (time > TimeProvider.System.GetUtcNow()) query.Fail<Moment>("at", "lies in the future");
        else return new(Time: time.ToUniversalTime());
        return null;
    }

    /// <summary>In the form the framework reads: capitals, at most seven digits of a second, and the plus that an unescaped one in an address no longer is.</summary>
    static string Parsable(Match match) => (match.Groups["second"].Value + match.Groups["fraction"].Value + match.Groups["offset"].Value.Replace(' ', '+')).ToUpperInvariant();

    [GeneratedRegex("^(?<second>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2})((?<fraction>\\.[0-9]{1,7})[0-9]*)?(?<offset>[Zz]|[-+ ][0-9]{2}:[0-9]{2})\\z", RegexOptions.CultureInvariant)]
    private static partial Regex Rfc3339();
}
