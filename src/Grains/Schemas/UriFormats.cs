using System.Buffers;
using System.Text;

namespace Resources.Grains;

/// <summary>URIs (RFC 3986), IRIs (RFC 3987) and URI templates (RFC 6570).</summary>
internal static class UriFormats
{
    const string Alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const string Unreserved = Alphanumeric + "-._~";
    const string SubDelimiters = "!$&'()*+,;=";
    const int LongestPrefix = 4;

    static readonly SearchValues<char> SchemeCharacters = SearchValues.Create(Alphanumeric + "+-.");
    static readonly SearchValues<char> NameCharacters = SearchValues.Create(Unreserved + SubDelimiters);
    static readonly SearchValues<char> UserCharacters = SearchValues.Create(Unreserved + SubDelimiters + ":");
    static readonly SearchValues<char> PathCharacters = SearchValues.Create(Unreserved + SubDelimiters + ":@/");
    static readonly SearchValues<char> QueryCharacters = SearchValues.Create(Unreserved + SubDelimiters + ":@/?");
    static readonly SearchValues<char> VariableCharacters = SearchValues.Create(Alphanumeric + "_.");
    static readonly SearchValues<char> NoTemplateLiterals = SearchValues.Create(" \"<>\\^`{|}");

    /// <summary>Whether a text is a URI or IRI, or a reference to one.</summary>
    public static bool IsReference(ReadOnlySpan<char> text, bool needsScheme, bool isInternational)
    {
        var colon = text.IndexOfAny(":/?#");
        var hasScheme = colon > 0 && text[colon] == ':' && IsScheme(text[..colon]);
        if (hasScheme)
            text = text[(colon + 1)..];
        // Without a scheme, the first step of a path has no colon.
        else if (needsScheme || (colon >= 0 && text[colon] == ':'))
            return false;

        if (text.IndexOf('#') is >= 0 and var hash)
        {
            if (!Consists(text[(hash + 1)..], QueryCharacters, isInternational))
                return false;
            text = text[..hash];
        }
        if (text.IndexOf('?') is >= 0 and var question)
        {
            if (!Consists(text[(question + 1)..], QueryCharacters, isInternational, allowsPrivate: true))
                return false;
            text = text[..question];
        }
        if (text.StartsWith("//"))
        {
            text = text[2..];
            var end = text.IndexOf('/') is >= 0 and var slash ? slash : text.Length;
            if (!IsAuthority(text[..end], isInternational))
                return false;
            text = text[end..];
        }
        return Consists(text, PathCharacters, isInternational);
    }

    static bool IsScheme(ReadOnlySpan<char> text) =>
        char.IsAsciiLetter(text[0]) && !text.ContainsAnyExcept(SchemeCharacters);

    static bool IsAuthority(ReadOnlySpan<char> text, bool isInternational)
    {
        if (text.IndexOf('@') is >= 0 and var user)
        {
            if (!Consists(text[..user], UserCharacters, isInternational))
                return false;
            text = text[(user + 1)..];
        }
        var isLiteral = text is ['[', ..];
        var host =
            isLiteral ? text.IndexOf(']') + 1
            : text.IndexOf(':') is >= 0 and var colon ? colon
            : text.Length;
        if (isLiteral ? !IsAddressLiteral(text[..host]) : !Consists(text[..host], NameCharacters, isInternational))
            return false;
        text = text[host..];
        return text.IsEmpty || (text[0] == ':' && !text[1..].ContainsAnyExceptInRange('0', '9'));
    }

    static bool IsAddressLiteral(ReadOnlySpan<char> text)
    {
        if (text.Length < 2)
            return false;
        text = text[1..^1];
        if (text is not ['v' or 'V', ..])
            return HostFormats.IsIPv6(text);
        var dot = text.IndexOf('.');
        return dot > 1
            && dot + 1 < text.Length
            && text[1..dot].IndexOfAnyExcept("0123456789abcdefABCDEF") < 0
            && !text[(dot + 1)..].ContainsAnyExcept(UserCharacters);
    }

    /// <summary>Whether a text has only such characters, escapes, and in an IRI those beyond ASCII.</summary>
    static bool Consists(
        ReadOnlySpan<char> text,
        SearchValues<char> characters,
        bool isInternational,
        bool allowsPrivate = false
    )
    {
        while (text.IndexOfAnyExcept(characters) is >= 0 and var at)
        {
            text = text[at..];
            if (text[0] == '%')
            {
                if (!IsEscape(text))
                    return false;
                text = text[3..];
                continue;
            }
            Rune.DecodeFromUtf16(text, out var rune, out var length);
            if (!isInternational || !(IsInternational(rune.Value) || (allowsPrivate && IsPrivate(rune.Value))))
                return false;
            text = text[length..];
        }
        return true;
    }

    static bool IsEscape(ReadOnlySpan<char> text) =>
        text.Length >= 3 && char.IsAsciiHexDigit(text[1]) && char.IsAsciiHexDigit(text[2]);

    /// <summary>ucschar of RFC 3987.</summary>
    static bool IsInternational(int c) =>
        c is (>= 0xA0 and <= 0xD7FF) or (>= 0xF900 and <= 0xFDCF) or (>= 0xFDF0 and <= 0xFFEF)
        || (c is >= 0x10000 and <= 0xEFFFF && (c & 0xFFFF) <= 0xFFFD && c is < 0xE0000 or >= 0xE1000);

    /// <summary>iprivate of RFC 3987.</summary>
    static bool IsPrivate(int c) => c is >= 0xE000 and <= 0xF8FF || (c >= 0xF0000 && (c & 0xFFFF) <= 0xFFFD);

    /// <summary>Whether a text is a URI template of any level.</summary>
    public static bool IsTemplate(ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            if (text[0] == '{')
            {
                var end = text.IndexOf('}');
                if (end < 0 || !IsExpression(text[1..end]))
                    return false;
                text = text[(end + 1)..];
                continue;
            }
            Rune.DecodeFromUtf16(text, out var rune, out var length);
            if (rune.Value is < ' ' or 0x7F || (rune.Value is '%' && !IsEscape(text)))
                return false;
            if (
                rune.IsAscii
                    ? NoTemplateLiterals.Contains(text[0])
                    : !IsInternational(rune.Value) && !IsPrivate(rune.Value)
            )
                return false;
            text = text[length..];
        }
        return true;
    }

    static bool IsExpression(ReadOnlySpan<char> text)
    {
        if (text is ['+' or '#' or '.' or '/' or ';' or '?' or '&', ..])
            text = text[1..];
        foreach (var range in text.Split(','))
            if (!IsVariable(text[range]))
                return false;
        return true;
    }

    static bool IsVariable(ReadOnlySpan<char> text)
    {
        if (text.IndexOf(':') is >= 0 and var colon)
        {
            var prefix = text[(colon + 1)..];
            if (prefix.Length is 0 or > LongestPrefix || prefix[0] == '0' || prefix.ContainsAnyExceptInRange('0', '9'))
                return false;
            text = text[..colon];
        }
        else if (text is [.., '*'])
            text = text[..^1];

        if (text is [] or ['.', ..] or [.., '.'] || text.Contains("..", StringComparison.Ordinal))
            return false;
        while (text.IndexOfAnyExcept(VariableCharacters) is >= 0 and var at)
        {
            if (text[at] != '%' || !IsEscape(text[at..]))
                return false;
            text = text[(at + 3)..];
        }
        return true;
    }
}
