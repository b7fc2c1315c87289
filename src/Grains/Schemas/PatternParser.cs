using System.Globalization;
using System.Text;

namespace Resources.Grains;

/// <summary>Reads a regular expression of ECMA 262 with the flag u.</summary>
internal sealed class PatternParser
{
    /// <summary>The longest pattern, in Unicode scalars.</summary>
    public const int MaxLength = 1_000;

    const int MaxDepth = 100;
    const int End = -1;
    const int Many = 1_000_000;
    const string SyntaxCharacters = "^$\\.*+?()[]{}|/";

    readonly int[] text;
    readonly HashSet<string> names = [];
    readonly List<string> namesReferred = [];
    int at;
    int depth;
    int groups;
    int highestReferred;

    PatternParser(string pattern) => text = [.. pattern.EnumerateRunes().Select(rune => rune.Value)];

    /// <summary>Whether it looks around or refers back, which takes more than an automaton.</summary>
    public bool NeedsBacktracking { get; private set; }

    int Next => at < text.Length ? text[at] : End;

    /// <summary>Whether a text is a regular expression of at most <see cref="MaxLength"/> characters.</summary>
    public static bool IsValid(string pattern) => Parse(pattern, out _) is not null;

    /// <summary>The tree of a pattern, or null where it is none or too long.</summary>
    public static PatternTree? Parse(string pattern, out bool needsBacktracking)
    {
        needsBacktracking = false;
        if (pattern.Length > 2 * MaxLength || StrictJson.ScalarLength(pattern) > MaxLength)
            return null;
        var parser = new PatternParser(pattern);
        var tree = parser.Choice();
        needsBacktracking = parser.NeedsBacktracking;
        return
            parser.at == parser.text.Length
            && parser.highestReferred <= parser.groups
            && parser.namesReferred.TrueForAll(parser.names.Contains)
            ? tree
            : null;
    }

    bool Accepts(char c)
    {
        if (Next != c)
            return false;
        at++;
        return true;
    }

    bool Accepts(string word)
    {
        for (var i = 0; i < word.Length; i++)
            if (at + i >= text.Length || text[at + i] != word[i])
                return false;
        at += word.Length;
        return true;
    }

    PatternTree? Choice()
    {
        var items = new List<PatternTree>();
        do
        {
            if (Sequence() is not { } item)
                return null;
            items.Add(item);
        } while (Accepts('|'));
        return items.Count is 1 ? items[0] : new PatternTree.Choice(items);
    }

    PatternTree.Sequence? Sequence()
    {
        var items = new List<PatternTree>();
        while (Next is not (End or '|' or ')'))
        {
            if (Term() is not { } item)
                return null;
            items.Add(item);
        }
        return new(items);
    }

    PatternTree? Term()
    {
        if (Accepts('^'))
            return new PatternTree.Assertion(PatternStep.Kind.Start);
        if (Accepts('$'))
            return new PatternTree.Assertion(PatternStep.Kind.End);
        if (Accepts("\\b"))
            return new PatternTree.Assertion(PatternStep.Kind.WordEdge);
        if (Accepts("\\B"))
            return new PatternTree.Assertion(PatternStep.Kind.NoWordEdge);
        if (Accepts("(?=") || Accepts("(?!") || Accepts("(?<=") || Accepts("(?<!"))
        {
            NeedsBacktracking = true;
            return Group();
        }
        return Atom() is { } atom ? Quantified(atom) : null;
    }

    PatternTree? Atom()
    {
        var c = Next;
        if (c is '*' or '+' or '?' or '{' or '}' or ']')
            return null;
        at++;
        return c switch
        {
            '.' => new PatternTree.OneOf(UnicodeClasses.NoLineEnds),
            '(' => Accepts("?:") || OpensGroup() ? Group() : null,
            '[' => Class() is { } set ? new PatternTree.OneOf(set) : null,
            '\\' => Escape(),
            _ => new PatternTree.Literal(c),
        };
    }

    bool OpensGroup()
    {
        groups++;
        if (!Accepts('?'))
            return true;
        return Accepts('<') && Name() is { } name && names.Add(name);
    }

    PatternTree? Group()
    {
        if (++depth > MaxDepth)
            return null;
        var inner = Choice();
        depth--;
        return Accepts(')') ? inner : null;
    }

    string? Name()
    {
        var name = new StringBuilder();
        while (Next is not (End or '>'))
            name.Append(char.ConvertFromUtf32(text[at++]));
        var isName =
            name.Length > 0
            && !char.IsAsciiDigit(name[0])
            && name.ToString().EnumerateRunes().All(rune => Rune.IsLetterOrDigit(rune) || rune.Value is '_' or '$');
        return Accepts('>') && isName ? name.ToString() : null;
    }

    PatternTree? Quantified(PatternTree atom)
    {
        int min;
        int? max;
        if (Accepts('*'))
            (min, max) = (0, null);
        else if (Accepts('+'))
            (min, max) = (1, null);
        else if (Accepts('?'))
            (min, max) = (0, 1);
        else if (!Accepts('{'))
            return atom;
        else
        {
            if (Number() is not { } low)
                return null;
            (min, max) = (low, low);
            if (Accepts(','))
                max = Number();
            if (!Accepts('}') || max < min)
                return null;
        }
        // Whether the fewest or the most are tried first changes nothing of whether there is a match.
        Accepts('?');
        return new PatternTree.Repeat(atom, min, max);
    }

    int? Number()
    {
        var start = at;
        var number = 0;
        for (; Next is >= '0' and <= '9'; at++)
            number = Math.Min(Many, number * 10 + (Next - '0'));
        return at > start ? number : null;
    }

    PatternTree? Escape()
    {
        if (Next is >= '1' and <= '9')
        {
            NeedsBacktracking = true;
            highestReferred = Math.Max(highestReferred, Number()!.Value);
            return new PatternTree.Sequence([]);
        }
        if (Accepts("k<"))
        {
            NeedsBacktracking = true;
            if (Name() is not { } name)
                return null;
            namesReferred.Add(name);
            return new PatternTree.Sequence([]);
        }
        if (ClassEscape() is { } set)
            return new PatternTree.OneOf(set);
        return CharacterEscape() is { } c ? new PatternTree.Literal(c) : null;
    }

    /// <summary>A class behind a backslash; null, with nothing read, where there is none.</summary>
    CodePointSet? ClassEscape()
    {
        var start = at;
        var kind = Next;
        at++;
        CodePointSet? set = kind switch
        {
            'd' or 'D' => UnicodeClasses.Digits,
            'w' or 'W' => UnicodeClasses.WordCharacters,
            's' or 'S' => UnicodeClasses.Spaces,
            'p' or 'P' when Accepts('{') => Property(),
            _ => null,
        };
        if (set is null)
            at = start;
        return kind is 'D' or 'W' or 'S' or 'P' ? set?.Others() : set;
    }

    CodePointSet? Property()
    {
        var name = new StringBuilder();
        while (Next is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_' or '=')
            name.Append((char)text[at++]);
        return Accepts('}') ? UnicodeClasses.Named(name.ToString()) : null;
    }

    /// <summary>A character behind a backslash.</summary>
    int? CharacterEscape()
    {
        var c = Next;
        at++;
        switch (c)
        {
            case 't':
                return '\t';
            case 'n':
                return '\n';
            case 'v':
                return '\v';
            case 'f':
                return '\f';
            case 'r':
                return '\r';
            case '0':
                return Next is >= '0' and <= '9' ? null : 0;
            case 'c' when Next is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z'):
                return text[at++] % 32;
            case 'x':
                return Hex(2);
            case 'u':
                return UnicodeEscape();
            default:
                return c is not End && c < 128 && SyntaxCharacters.Contains((char)c) ? c : null;
        }
    }

    int? UnicodeEscape()
    {
        if (Accepts('{'))
        {
            var value = 0;
            var start = at;
            for (; Digit(Next) is { } digit; at++)
                value = Math.Min(value * 16 + digit, CodePointSet.Last + 1);
            return at > start && Accepts('}') && value <= CodePointSet.Last ? value : null;
        }
        if (Hex(4) is not { } high)
            return null;
        var behind = at;
        if (high is >= 0xD800 and <= 0xDBFF && Accepts("\\u") && Hex(4) is >= 0xDC00 and <= 0xDFFF and var low)
            return char.ConvertToUtf32((char)high, (char)low);
        at = behind;
        return high;
    }

    int? Hex(int digits)
    {
        var value = 0;
        for (var i = 0; i < digits; i++, at++)
        {
            if (Digit(Next) is not { } digit)
                return null;
            value = value * 16 + digit;
        }
        return value;
    }

    static int? Digit(int c) =>
        c is End or > 127 || !char.IsAsciiHexDigit((char)c)
            ? null
            : int.Parse([(char)c], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    CodePointSet? Class()
    {
        var isNegated = Accepts('^');
        var ranges = new List<(int, int)>();
        var parts = new List<CodePointSet>();
        while (!Accepts(']'))
        {
            if (!ClassAtom(out var first, out var set))
                return null;
            if (Next != '-' || at + 1 >= text.Length || text[at + 1] == ']')
            {
                if (set is not null)
                    parts.Add(set);
                else
                    ranges.Add((first, first));
                continue;
            }
            at++;
            if (!ClassAtom(out var last, out var other) || set is not null || other is not null || last < first)
                return null;
            ranges.Add((first, last));
        }
        return new(ranges, [.. parts], isNegated);
    }

    bool ClassAtom(out int c, out CodePointSet? set)
    {
        set = null;
        c = Next;
        if (c is End)
            return false;
        at++;
        if (c != '\\')
            return true;
        if ((set = ClassEscape()) is not null)
            return true;
        c =
            Accepts('b') ? '\b'
            : Accepts('-') ? '-'
            : CharacterEscape() ?? End;
        return c is not End;
    }
}
