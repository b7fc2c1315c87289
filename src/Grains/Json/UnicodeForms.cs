using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Resources.Grains;

/// <summary>
/// The forms in which texts are compared. Canonical composition (NFC) is done by a table of our own: without ICU, which
/// nodes do not need otherwise, the framework leaves text as it is.
/// </summary>
public static class UnicodeForms
{
    // Everything below is composed and combines with nothing before it.
    const char FirstCombining = '\u0300';

    const int Syllables = 0xAC00,
        Leads = 0x1100,
        Vowels = 0x1161,
        Tails = 0x11A7,
        LeadCount = 19,
        VowelCount = 21,
        TailCount = 28;

    /// <summary>What case folding makes several letters of, and no decomposition takes apart.</summary>
    static readonly FrozenDictionary<char, string> Expansions = new Dictionary<char, string>
    {
        ['ß'] = "ss",
        ['ſ'] = "s",
        ['ŉ'] = "ʼn",
        ['և'] = "եւ",
        ['ẚ'] = "aʾ",
        ['ﬀ'] = "ff",
        ['ﬁ'] = "fi",
        ['ﬂ'] = "fl",
        ['ﬃ'] = "ffi",
        ['ﬄ'] = "ffl",
        ['ﬅ'] = "st",
        ['ﬆ'] = "st",
        ['ﬓ'] = "մն",
        ['ﬔ'] = "մե",
        ['ﬕ'] = "մի",
        ['ﬖ'] = "վն",
        ['ﬗ'] = "մխ",
    }.ToFrozenDictionary();

    static readonly FrozenDictionary<int, int[]> Parts;
    static readonly FrozenDictionary<(int, int), int> Wholes;
    static readonly FrozenDictionary<int, int> Classes;

    static UnicodeForms()
    {
        var parts = new Dictionary<int, int[]>();
        var wholes = new Dictionary<(int, int), int>();
        var classes = new Dictionary<int, int>();
        using var table = new StreamReader(typeof(UnicodeForms).Assembly.GetManifestResourceStream("unicode-nfc.txt")!);
        while (table.ReadLine() is { } line)
        {
            if (line.StartsWith('#'))
                continue;
            if (line.Split(':') is [var range, var value])
            {
                var ends = Numbers(range, '-');
                for (var c = ends[0]; c <= ends[^1]; c++)
                    classes[c] = int.Parse(value, CultureInfo.InvariantCulture);
                continue;
            }
            var whole = Numbers(line.Split('=', '>')[0], ' ')[0];
            var made = Numbers(line.Split('=', '>')[1], ' ');
            parts[whole] = made;
            if (line.Contains('=', StringComparison.Ordinal))
                wholes[(made[0], made[1])] = whole;
        }
        Parts = parts.ToFrozenDictionary();
        Wholes = wholes.ToFrozenDictionary();
        Classes = classes.ToFrozenDictionary();
    }

    /// <summary>The composed form of a text without lone surrogates.</summary>
    public static string Compose(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange(FirstCombining, char.MaxValue))
            return text;
        return Text(PutTogether(Apart(text)));
    }

    /// <summary>The decomposed form (NFD) of a text without lone surrogates.</summary>
    public static string Decompose(string text) => Text(Apart(text));

    /// <summary>
    /// The same for all texts that differ by case or canonical form alone: Unicode's full case folding, composed.
    /// </summary>
    public static string Fold(string text)
    {
        if (Ascii.IsValid(text))
            return text.ToLowerInvariant();
        // Capitals first: several small letters, such as the two sigmas, have one. Marks have to stand apart from letters.
        var folded = Text(Apart(text)).ToUpperInvariant().ToLowerInvariant();
        if (folded.Any(Expansions.ContainsKey))
            folded = string.Concat(folded.Select(c => Expansions.GetValueOrDefault(c) ?? c.ToString()));
        return Compose(folded);
    }

    /// <summary>Whether a mark takes the vowel from the consonant before it (combining class 9).</summary>
    internal static bool IsVirama(int c) => ClassOf(c) is 9;

    static List<int> Apart(string text)
    {
        var apart = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
            TakeApart(rune.Value, apart);
        Order(apart);
        return apart;
    }

    static string Text(List<int> characters)
    {
        var text = new StringBuilder(characters.Count);
        foreach (var c in characters)
            text.Append(new Rune(c));
        return text.ToString();
    }

    static void TakeApart(int c, List<int> into)
    {
        if (c - Syllables is >= 0 and < LeadCount * VowelCount * TailCount and var at)
        {
            into.Add(Leads + at / (VowelCount * TailCount));
            into.Add(Vowels + at / TailCount % VowelCount);
            if (at % TailCount is > 0 and var tail)
                into.Add(Tails + tail);
        }
        else if (Parts.TryGetValue(c, out var parts))
            foreach (var part in parts)
                TakeApart(part, into);
        else
            into.Add(c);
    }

    /// <summary>Marks stand in the order of their classes, those of one class as they came.</summary>
    static void Order(List<int> text)
    {
        for (var start = 0; start < text.Count; start++)
        {
            var first = start;
            while (start < text.Count && ClassOf(text[start]) > 0)
                start++;
            if (start - first < 2)
                continue;
            // A stable sort: a text may be nothing but marks.
            foreach (var mark in text.GetRange(first, start - first).OrderBy(ClassOf).ToArray())
                text[first++] = mark;
        }
    }

    static List<int> PutTogether(List<int> text)
    {
        var result = new List<int>(text.Count);
        var starter = -1;
        var last = -1;
        foreach (var c in text)
        {
            var mark = ClassOf(c);
            // What stands between must not be of the same class or a higher one: that would hide it from its base.
            if (starter >= 0 && last < mark && WholeOf(result[starter], c) is { } whole)
            {
                result[starter] = whole;
                continue;
            }
            if (mark is 0)
            {
                starter = result.Count;
                last = -1;
            }
            else
                last = mark;
            result.Add(c);
        }
        return result;
    }

    static int? WholeOf(int first, int second)
    {
        if (
            first - Leads is >= 0 and < LeadCount and var lead
            && second - Vowels is >= 0 and < VowelCount and var vowel
        )
            return Syllables + (lead * VowelCount + vowel) * TailCount;
        if (
            first - Syllables is >= 0 and < LeadCount * VowelCount * TailCount and var at
            && at % TailCount is 0
            && second - Tails is > 0 and < TailCount and var tail
        )
            return first + tail;
        return Wholes.TryGetValue((first, second), out var whole) ? whole : null;
    }

    static int ClassOf(int c) => Classes.GetValueOrDefault(c);

    static int[] Numbers(string text, char between) =>
        [
            .. text.Split(between)
                .Select(number => int.Parse(number, NumberStyles.HexNumber, CultureInfo.InvariantCulture)),
        ];
}
