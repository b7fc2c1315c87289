using System.Buffers;
using System.Globalization;
using System.Text;

namespace Resources.Grains;

/// <summary>One label of a host's name, by IDNA 2008 (RFC 5891 to 5893).</summary>
internal sealed class HostLabel
{
    const int Longest = 63;
    const string Prefix = "xn--";

    // RFC 5892, 2.6: letters and marks that were left out by their category, or taken in by it.
    static readonly CodePointSet Exceptions = new([
        (0xDF, 0xDF),
        (0x3C2, 0x3C2),
        (0x6FD, 0x6FE),
        (0xF0B, 0xF0B),
        (0x3007, 0x3007),
    ]);

    // Exceptions the other way, compatibility forms, which normalisation replaces, and the parts of Hangul syllables.
    static readonly CodePointSet Disallowed = new([
        (0x640, 0x640),
        (0x7FA, 0x7FA),
        (0x302E, 0x302F),
        (0x3031, 0x3035),
        (0x303B, 0x303B),
        (0x1100, 0x11FF),
        (0xA960, 0xA97F),
        (0xD7B0, 0xD7FF),
        (0xF900, 0xFAFF),
        (0xFB00, 0xFDFF),
        (0xFE70, 0xFFFF),
        (0x1D400, 0x1D7FF),
    ]);

    static readonly CodePointSet RightToLeft = new([
        (0x590, 0x5FF),
        (0x600, 0x65F),
        (0x66D, 0x6EF),
        (0x6FA, 0x8FF),
        (0xFB1D, 0xFDFF),
        (0xFE70, 0xFEFF),
        (0x10800, 0x10FFF),
        (0x1E800, 0x1EFFF),
    ]);

    static readonly CodePointSet Greek = new([(0x370, 0x3FF), (0x1F00, 0x1FFF)]);
    static readonly CodePointSet Hebrew = new([(0x590, 0x5FF)]);

    static readonly CodePointSet KanaAndHan = new([
        (0x3005, 0x3007),
        (0x3041, 0x3096),
        (0x309D, 0x309F),
        (0x30A1, 0x30FA),
        (0x30FD, 0x30FF),
        (0x31F0, 0x31FF),
        (0x3400, 0x4DBF),
        (0x4E00, 0x9FFF),
        (0x20000, 0x3FFFF),
    ]);

    static readonly CodePointSet ArabicLetters = new([(0x620, 0x63F), (0x641, 0x64A), (0x66E, 0x6D3), (0x6FA, 0x6FC)]);

    // Letters of Arabic that join with the one before them only.
    static readonly CodePointSet RightJoining = new([
        (0x621, 0x625),
        (0x627, 0x627),
        (0x629, 0x629),
        (0x62F, 0x632),
        (0x648, 0x648),
        (0x671, 0x677),
        (0x688, 0x699),
        (0x6C0, 0x6C0),
        (0x6C3, 0x6CB),
        (0x6CD, 0x6CD),
        (0x6CF, 0x6CF),
        (0x6D2, 0x6D3),
    ]);

    static readonly SearchValues<char> PlainCharacters = SearchValues.Create(
        "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    );

    readonly List<int> text;

    HostLabel(List<int> text, int length)
    {
        this.text = text;
        Length = length;
    }

    /// <summary>The length in ASCII.</summary>
    public int Length { get; }

    /// <summary>Whether it has a character that is written from right to left.</summary>
    public bool IsRightToLeft => text.Exists(c => RightToLeft.Contains(c) || IsArabicDigit(c));

    /// <summary>Whether a name has labels of ASCII only, none of which is encoded.</summary>
    public static bool ArePlain(ReadOnlySpan<char> name)
    {
        foreach (var range in name.Split('.'))
            if (
                name[range] is var label
                && (
                    label is [] or ['-', ..] or [.., '-'] or [_, _, '-', '-', ..]
                    || label.Length > Longest
                    || label.ContainsAnyExcept(PlainCharacters)
                )
            )
                return false;
        return true;
    }

    /// <summary>Reads a label, or returns null where it is none. One that is not strict may be in any normal form.</summary>
    public static HostLabel? Read(ReadOnlySpan<char> label, bool isStrict)
    {
        if (label is [] or ['-', ..] or [.., '-'])
            return null;
        if (label.ContainsAnyExceptInRange('\0', '\x7F'))
            return ReadUnicode(Decoded(label), isStrict);
        if (label.Length > Longest || label.ContainsAnyExcept(PlainCharacters))
            return null;
        if (!label.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            return new([.. Decoded(label)], label.Length);

        var encoded = label[Prefix.Length..].ToString().ToLowerInvariant();
        return Punycode.Decode(encoded) is { } text && text.Exists(c => c > 0x7F) && Punycode.Encode(text) == encoded
            ? ReadUnicode(text, isStrict: true)
            : null;
    }

    static List<int> Decoded(ReadOnlySpan<char> label)
    {
        var text = new List<int>(label.Length);
        foreach (var rune in label.EnumerateRunes())
            text.Add(rune.Value);
        return text;
    }

    static HostLabel? ReadUnicode(List<int> text, bool isStrict)
    {
        var length = Prefix.Length + Punycode.Encode(text).Length;
        if (length > Longest || text is ['-', ..] or [.., '-'] or [_, _, '-', '-', ..])
            return null;
        if (
            CharUnicodeInfo.GetUnicodeCategory(text[0])
            is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
        )
            return null;
        for (var i = 0; i < text.Count; i++)
            if (!IsAllowed(text, i))
                return null;
        var whole = string.Concat(text.Select(char.ConvertFromUtf32));
        return isStrict && UnicodeForms.Compose(whole) != whole ? null : new(text, length);
    }

    static bool IsAllowed(List<int> text, int at)
    {
        var c = text[at];
        var before = at > 0 ? text[at - 1] : -1;
        var behind = at + 1 < text.Count ? text[at + 1] : -1;
        return c switch
        {
            '-' => true,
            // Middle dot, keraia, geresh and gershayim, Katakana's middle dot (RFC 5892, appendix A).
            0xB7 => before == 'l' && behind == 'l',
            0x375 => behind >= 0 && Greek.Contains(behind),
            0x5F3 or 0x5F4 => before >= 0 && Hebrew.Contains(before),
            0x30FB => text.Exists(KanaAndHan.Contains),
            0x200C => before >= 0 && (UnicodeForms.IsVirama(before) || Joins(before, behind)),
            0x200D => before >= 0 && UnicodeForms.IsVirama(before),
            _ when IsArabicDigit(c) => !text.Exists(IsExtendedDigit),
            _ => Exceptions.Contains(c) || (!Disallowed.Contains(c) && IsLetterOrDigit(c)),
        };
    }

    static bool Joins(int before, int behind) =>
        behind >= 0
        && ArabicLetters.Contains(before)
        && !RightJoining.Contains(before)
        && ArabicLetters.Contains(behind);

    static bool IsLetterOrDigit(int c) =>
        CharUnicodeInfo.GetUnicodeCategory(c)
            is UnicodeCategory.LowercaseLetter
                or UnicodeCategory.OtherLetter
                or UnicodeCategory.ModifierLetter
                or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.DecimalDigitNumber;

    static bool IsArabicDigit(int c) => c is >= 0x660 and <= 0x669;

    static bool IsExtendedDigit(int c) => c is >= 0x6F0 and <= 0x6F9;

    static bool IsEuropeanDigit(int c) => c is >= '0' and <= '9' || IsExtendedDigit(c);

    /// <summary>The rule for the labels of a name of which one is written from right to left (RFC 5893).</summary>
    public bool FollowsBidiRule()
    {
        var first = text[0];
        if (!RightToLeft.Contains(first))
            return !IsRightToLeft && !IsEuropeanDigit(first);
        var last = text.FindLast(c => CharUnicodeInfo.GetUnicodeCategory(c) is not UnicodeCategory.NonSpacingMark);
        return text.TrueForAll(IsOfRightToLeftLabel)
            && last != '-'
            && !(text.Exists(IsArabicDigit) && text.Exists(IsEuropeanDigit));
    }

    static bool IsOfRightToLeftLabel(int c) =>
        c is '-' or 0x200C or 0x200D
        || RightToLeft.Contains(c)
        || IsArabicDigit(c)
        || IsEuropeanDigit(c)
        || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark;
}
