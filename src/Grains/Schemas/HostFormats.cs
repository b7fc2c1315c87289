using System.Buffers;

namespace Resources.Grains;

/// <summary>Names and addresses of hosts, and of mailboxes on them.</summary>
internal static class HostFormats
{
    const int LongestName = 253;
    const int LongestLocalPart = 64;
    const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    static readonly SearchValues<char> AtomCharacters = SearchValues.Create(Letters + "0123456789!#$%&'*+-/=?^_`{|}~");

    /// <summary>A name of RFC 1123, whose labels that start with xn-- are those of IDNA 2008.</summary>
    public static bool IsHostname(ReadOnlySpan<char> text) =>
        !text.ContainsAnyExceptInRange('\0', '\x7F') && IsInternationalHostname(text);

    /// <summary>A name of IDNA 2008 (RFC 5890), whose labels are separated by any full stop.</summary>
    public static bool IsInternationalHostname(ReadOnlySpan<char> text, bool isStrict = true)
    {
        if (text.IsEmpty || text.Length > LongestName)
            return false;
        // Most names are, and need no memory.
        if (HostLabel.ArePlain(text))
            return true;
        var labels = new List<HostLabel>();
        var length = -1;
        foreach (var range in text.SplitAny(".\u3002\uFF0E\uFF61"))
        {
            if (HostLabel.Read(text[range], isStrict) is not { } label)
                return false;
            labels.Add(label);
            length += 1 + label.Length;
        }
        return length <= LongestName
            && (!labels.Exists(label => label.IsRightToLeft) || labels.TrueForAll(label => label.FollowsBidiRule()));
    }

    public static bool IsIPv4(ReadOnlySpan<char> text)
    {
        var parts = 0;
        foreach (var range in text.Split('.'))
        {
            var part = text[range];
            if (++parts > 4 || part.Length is 0 or > 3 || part.ContainsAnyExceptInRange('0', '9'))
                return false;
            if ((part[0] == '0' && part.Length > 1) || int.Parse(part) > 255)
                return false;
        }
        return parts is 4;
    }

    public static bool IsIPv6(ReadOnlySpan<char> text)
    {
        var groups = 0;
        if (text.IndexOf("::") is >= 0 and var gap)
        {
            var before = text[..gap];
            var behind = text[(gap + 2)..];
            return (before.IsEmpty || AreGroups(before, mayEndInIPv4: false, ref groups))
                && (behind.IsEmpty || AreGroups(behind, mayEndInIPv4: true, ref groups))
                && groups <= 7;
        }
        return AreGroups(text, mayEndInIPv4: true, ref groups) && groups is 8;
    }

    static bool AreGroups(ReadOnlySpan<char> text, bool mayEndInIPv4, ref int groups)
    {
        foreach (var range in text.Split(':'))
        {
            var group = text[range];
            if (mayEndInIPv4 && range.End.GetOffset(text.Length) == text.Length && group.Contains('.'))
            {
                groups += 2;
                return IsIPv4(group);
            }
            groups++;
            if (group.Length is 0 or > 4 || group.IndexOfAnyExcept("0123456789abcdefABCDEF") >= 0)
                return false;
        }
        return true;
    }

    /// <summary>A mailbox of RFC 5321, or with text beyond ASCII of RFC 6531.</summary>
    public static bool IsEmail(ReadOnlySpan<char> text, bool isInternational)
    {
        var at = text.LastIndexOf('@');
        if (at < 1 || !IsLocalPart(text[..at], isInternational))
            return false;
        var domain = text[(at + 1)..];
        if (domain is ['[', .. var literal, ']'])
            return literal.StartsWith("IPv6:", StringComparison.OrdinalIgnoreCase)
                ? IsIPv6(literal["IPv6:".Length..])
                : IsIPv4(literal);
        return isInternational ? IsInternationalHostname(domain, isStrict: false) : IsHostname(domain);
    }

    static bool IsLocalPart(ReadOnlySpan<char> text, bool isInternational)
    {
        if (text.Length > LongestLocalPart)
            return false;
        if (text is ['"', .. var quoted, '"'])
            return IsQuoted(quoted, isInternational);
        foreach (var range in text.Split('.'))
        {
            var atom = text[range];
            if (atom.IsEmpty)
                return false;
            foreach (var c in atom)
                if (!AtomCharacters.Contains(c) && !(isInternational && c > '\x7F'))
                    return false;
        }
        return true;
    }

    static bool IsQuoted(ReadOnlySpan<char> text, bool isInternational)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"' || (text[i] == '\\' && ++i == text.Length))
                return false;
            if (text[i] is < ' ' or '\x7F' || (text[i] > '\x7F' && !isInternational))
                return false;
        }
        return true;
    }
}
