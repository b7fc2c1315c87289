using System.Text;

namespace Resources.Projections;

/// <summary>
/// Cuts the text of a filter into its smallest pieces. What a character means depends on where it stands, so the parser
/// says what kind of piece it looks for.
/// </summary>
sealed class FilterScanner(string text, FilterFaults faults)
{
    const string StringsAreInDoubleQuotes = "Texts stand in double quotes, not in single ones.";

    /// <summary>The index of the next character.</summary>
    public int At { get; private set; }

    public bool AtEnd => At == text.Length;

    /// <summary>The next character; NUL, which no filter has, at the end.</summary>
    public char Current => At < text.Length ? text[At] : '\0';

    /// <summary>Whether here is the end of a value: the text's end, white space or a closing parenthesis.</summary>
    public bool AtBoundary => IsBoundary(At);

    public void SkipSpace()
    {
        while (IsSpace(Current))
            At++;
    }

    public bool Take(char c)
    {
        if (Current != c)
            return false;
        At++;
        return true;
    }

    /// <summary>
    /// Whether one of AND, OR, NOT stands here, as a word of its own and not as the first step of a path.
    /// </summary>
    public bool SeesKeyword(string keyword)
    {
        if (string.CompareOrdinal(text, At, keyword, 0, keyword.Length) is not 0)
            return false;
        var end = At + keyword.Length;
        return end == text.Length || (text[end] is not '.' && EndsWord(end));
    }

    public bool SeesKeyword() => SeesKeyword("AND") || SeesKeyword("OR") || SeesKeyword("NOT");

    public bool TakeKeyword(string keyword)
    {
        if (!SeesKeyword(keyword))
            return false;
        At += keyword.Length;
        return true;
    }

    /// <summary>
    /// Takes the sign of a negation: a '-' with something directly behind it, which in a list of values is no digit.
    /// </summary>
    public bool TakeMinus(bool beforeDigits)
    {
        if (Current is not '-' || IsBoundary(At + 1) || (!beforeDigits && char.IsAsciiDigit(text[At + 1])))
            return false;
        At++;
        return true;
    }

    /// <summary>Whether a '-' with nothing behind it stands here.</summary>
    public bool SeesLoneMinus => Current is '-' && IsBoundary(At + 1);

    public Comparator? TakeComparator()
    {
        var equals = At + 1 < text.Length && text[At + 1] is '=';
        Comparator? comparator = (Current, equals) switch
        {
            ('=', _) => Comparator.Equal,
            (':', _) => Comparator.Has,
            ('!', true) => Comparator.NotEqual,
            ('<', true) => Comparator.AtMost,
            ('<', false) => Comparator.Less,
            ('>', true) => Comparator.AtLeast,
            ('>', false) => Comparator.Greater,
            _ => null,
        };
        if (comparator is not null)
            At += comparator is Comparator.NotEqual or Comparator.AtMost or Comparator.AtLeast ? 2 : 1;
        return comparator;
    }

    /// <summary>Takes a text in double quotes.</summary>
    public FilterValue.Text? TakeString()
    {
        var start = At++;
        var pattern = new StringBuilder();
        for (; !AtEnd; At++)
            switch (text[At])
            {
                case '"':
                    At++;
                    return new(pattern.ToString());
                case '\\' when At + 1 < text.Length && text[At + 1] is '"' or '\\' or '*':
                    if (text[++At] is not '"')
                        pattern.Append('\\');
                    pattern.Append(text[At]);
                    break;
                case '\\':
                    return Fail(At, "A backslash stands before '\"', '\\' or '*', and before nothing else.");
                case var c:
                    pattern.Append(c);
                    break;
            }
        return Fail(start, "The text that begins here has no closing '\"'.");
    }

    /// <summary>Takes an unquoted step of a path or word of a search, which may turn out empty.</summary>
    public string? TakeWord()
    {
        var start = At;
        if (Current is '\'')
            return Fail<string>(At, StringsAreInDoubleQuotes);
        while (!AtEnd && Current is not '.' && !EndsWord(At))
            At++;
        return IsPlain(start) ? text[start..At] : null;
    }

    /// <summary>Takes an unquoted value: all up to the next white space or closing parenthesis.</summary>
    public FilterValue.Text? TakeValue()
    {
        var start = At;
        if (Current is '\'')
            return Fail(At, StringsAreInDoubleQuotes);
        if (TakeComparator() is not null)
            return Fail(start, "A value is expected here; the operators are = != < <= > >= and ':'.");
        if (SeesKeyword())
            return Fail(
                At,
                "A value is expected here; one that is spelled like AND, OR or NOT stands in double quotes."
            );
        while (!AtBoundary && Current is not ('(' or '"'))
            At++;
        return IsPlain(start) ? new(text[start..At]) : null;
    }

    /// <summary>What stands between two indexes.</summary>
    public string Slice(int start, int end) => text[start..end];

    bool IsPlain(int start)
    {
        var backslash = text.AsSpan(start, At - start).IndexOf('\\');
        if (backslash >= 0)
            Fail(start + backslash, "A backslash may stand in double quotes only.");
        else if (Current is '(')
            Fail(start, "There are no functions; a text with a parenthesis stands in double quotes.");
        else if (Current is '"')
            Fail(At, "Double quotes stand around the whole text, or around a whole step of a path.");
        else
            return true;
        return false;
    }

    bool EndsWord(int at) =>
        IsBoundary(at)
        || text[at] is '(' or '"' or '=' or '<' or '>' or ':'
        || (text[at] is '!' && at + 1 < text.Length && text[at + 1] is '=');

    bool IsBoundary(int at) => at >= text.Length || text[at] is ')' || IsSpace(text[at]);

    static bool IsSpace(char c) => c is ' ' or '\t' or '\r' or '\n';

    FilterValue.Text? Fail(int at, string detail) => Fail<FilterValue.Text>(at, detail);

    T? Fail<T>(int at, string detail)
        where T : class
    {
        faults.Add(at, detail);
        return null;
    }
}
