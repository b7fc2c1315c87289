using System.Globalization;
using System.Text.RegularExpressions;

namespace Resources.Grains;

/// <summary>Times as clients write them.</summary>
public static partial class Rfc3339
{
    static readonly string[] Formats = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mm:ssK"];

    /// <summary>
    /// Reads an RFC 3339 time with any number of digits of a second, of which seven count. In an offset a space is
    /// taken for the '+' that it was, unescaped, in an address.
    /// </summary>
    public static bool TryParse(string text, out DateTimeOffset time)
    {
        time = default;
        return Pattern().Match(text) is { Success: true } match
            && DateTimeOffset.TryParseExact(
                Parsable(match),
                Formats,
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out time
            );
    }

    /// <summary>In the form the framework reads: capitals, at most seven digits of a second, and the plus.</summary>
    static string Parsable(Match match) =>
        (
            match.Groups["second"].Value
            + match.Groups["fraction"].Value
            + match.Groups["offset"].Value.Replace(' ', '+')
        ).ToUpperInvariant();

    [GeneratedRegex(
        "^(?<second>[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2})((?<fraction>\\.[0-9]{1,7})[0-9]*)?(?<offset>[Zz]|[-+"
            + " ][0-9]{2}:[0-9]{2})\\z",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Pattern();
}
