using System.Collections.Frozen;

namespace Resources.Grains;

/// <summary>The formats of JSON Schema; all of them are asserted.</summary>
internal static class Formats
{
    /// <summary>Whether a text has a format.</summary>
    public delegate bool Check(ReadOnlySpan<char> text);

    static readonly FrozenDictionary<string, Check> ByName = new Dictionary<string, Check>
    {
        ["date-time"] = TimeFormats.IsDateTime,
        ["date"] = TimeFormats.IsDate,
        ["time"] = TimeFormats.IsTime,
        ["duration"] = TimeFormats.IsDuration,
        ["email"] = text => HostFormats.IsEmail(text, isInternational: false),
        ["idn-email"] = text => HostFormats.IsEmail(text, isInternational: true),
        ["hostname"] = HostFormats.IsHostname,
        ["idn-hostname"] = text => HostFormats.IsInternationalHostname(text),
        ["ipv4"] = HostFormats.IsIPv4,
        ["ipv6"] = HostFormats.IsIPv6,
        ["uri"] = text => UriFormats.IsReference(text, needsScheme: true, isInternational: false),
        ["uri-reference"] = text => UriFormats.IsReference(text, needsScheme: false, isInternational: false),
        ["iri"] = text => UriFormats.IsReference(text, needsScheme: true, isInternational: true),
        ["iri-reference"] = text => UriFormats.IsReference(text, needsScheme: false, isInternational: true),
        ["uri-template"] = UriFormats.IsTemplate,
        ["uuid"] = IsUuid,
        ["json-pointer"] = IsPointer,
        ["relative-json-pointer"] = IsRelativePointer,
        ["regex"] = text => PatternParser.IsValid(text.ToString()),
    }.ToFrozenDictionary();

    /// <summary>The check of a format, or null where it has no such name.</summary>
    public static Check? Named(string name) => ByName.GetValueOrDefault(name);

    static bool IsUuid(ReadOnlySpan<char> text)
    {
        if (text.Length != 36)
            return false;
        for (var i = 0; i < text.Length; i++)
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigit(text[i]))
                return false;
        return true;
    }

    static bool IsPointer(ReadOnlySpan<char> text)
    {
        if (text.Length > 0 && text[0] != '/')
            return false;
        for (var i = 0; i < text.Length; i++)
            if (text[i] == '~' && (i + 1 == text.Length || text[i + 1] is not ('0' or '1')))
                return false;
        return true;
    }

    static bool IsRelativePointer(ReadOnlySpan<char> text)
    {
        var digits = text.IndexOfAnyExceptInRange('0', '9') is >= 0 and var end ? end : text.Length;
        if (digits is 0 || (text[0] == '0' && digits > 1))
            return false;
        return text[digits..] is "#" || IsPointer(text[digits..]);
    }
}
