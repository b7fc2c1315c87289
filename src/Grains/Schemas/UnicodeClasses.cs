using System.Collections.Frozen;
using System.Globalization;

namespace Resources.Grains;

/// <summary>The classes of code points that patterns name. They are built once and shared by all patterns.</summary>
internal static class UnicodeClasses
{
    public static readonly CodePointSet Digits = new([('0', '9')]);
    public static readonly CodePointSet WordCharacters = new([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]);

    /// <summary>WhiteSpace and LineTerminator of ECMA 262.</summary>
    public static readonly CodePointSet Spaces = new([
        ('\t', '\r'),
        (' ', ' '),
        (0xA0, 0xA0),
        (0x1680, 0x1680),
        (0x2000, 0x200A),
        (0x2028, 0x2029),
        (0x202F, 0x202F),
        (0x205F, 0x205F),
        (0x3000, 0x3000),
        (0xFEFF, 0xFEFF),
    ]);

    /// <summary>What a dot stands for.</summary>
    public static readonly CodePointSet NoLineEnds = new(
        [('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)],
        isNegated: true
    );

    // The names of General_Category in the order of the framework's enumeration; then those that stand for several.
    const string Names =
        "Lu Uppercase_Letter|Ll Lowercase_Letter|Lt Titlecase_Letter|Lm Modifier_Letter|Lo Other_Letter|"
        + "Mn Nonspacing_Mark|Mc Spacing_Mark|Me Enclosing_Mark|Nd Decimal_Number digit|Nl Letter_Number|"
        + "No Other_Number|Zs Space_Separator|Zl Line_Separator|Zp Paragraph_Separator|Cc Control cntrl|Cf Format|"
        + "Cs Surrogate|Co Private_Use|Pc Connector_Punctuation|Pd Dash_Punctuation|Ps Open_Punctuation|"
        + "Pe Close_Punctuation|Pi Initial_Punctuation|Pf Final_Punctuation|Po Other_Punctuation|Sm Math_Symbol|"
        + "Sc Currency_Symbol|Sk Modifier_Symbol|So Other_Symbol|Cn Unassigned";
    const string Groups =
        "LC Cased_Letter=Lu Ll Lt|L Letter=Lu Ll Lt Lm Lo|M Mark Combining_Mark=Mn Mc Me|N Number=Nd Nl No|"
        + "Z Separator=Zs Zl Zp|P Punctuation punct=Pc Pd Ps Pe Pi Pf Po|S Symbol=Sm Sc Sk So|C Other=Cc Cf Cs Co Cn";

    static readonly Lazy<FrozenDictionary<string, CodePointSet>> Categories = new(Build);

    /// <summary>
    /// The set of a property expression: a value of General_Category, with or without the property's name, or Any,
    /// ASCII or Assigned. Null for another.
    /// </summary>
    public static CodePointSet? Named(string property)
    {
        var at = property.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? Categories.Value.GetValueOrDefault(property)
            : property[..at] is not ("General_Category" or "gc")
            || property[(at + 1)..] is "Any" or "ASCII" or "Assigned"
                ? null
            : Categories.Value.GetValueOrDefault(property[(at + 1)..]);
    }

    static FrozenDictionary<string, CodePointSet> Build()
    {
        var ranges = Enum.GetValues<UnicodeCategory>().Select(_ => new List<(int, int)>()).ToArray();
        for (int first = 0, next; first <= CodePointSet.Last; first = next)
        {
            var category = CharUnicodeInfo.GetUnicodeCategory(first);
            for (next = first + 1; next <= CodePointSet.Last; next++)
                if (CharUnicodeInfo.GetUnicodeCategory(next) != category)
                    break;
            ranges[(int)category].Add((first, next - 1));
        }

        var sets = new Dictionary<string, CodePointSet>
        {
            ["Any"] = new([(0, CodePointSet.Last)]),
            ["ASCII"] = new([(0, 127)]),
        };
        foreach (var (names, category) in Names.Split('|').Zip(ranges))
        {
            var set = new CodePointSet(category);
            foreach (var name in names.Split(' '))
                sets[name] = set;
        }
        foreach (var group in Groups.Split('|').Select(group => group.Split('=')))
        {
            var set = new CodePointSet([], [.. group[1].Split(' ').Select(name => sets[name])]);
            foreach (var name in group[0].Split(' '))
                sets[name] = set;
        }
        sets["Assigned"] = sets["Cn"].Others();
        return sets.ToFrozenDictionary();
    }
}
