using System.Buffers;
using System.Text;
using GraphQLParser;

namespace Resources.Api;

/// <summary>
/// One pass over the text of a document, before it is parsed: what is counted here would cost the parser, or whoever
/// walks through its tree, time or stack. Faults of single tokens are found here, too: the parser takes some for none, and
/// tells of others in time that grows with the square of their column.
/// </summary>
sealed class DocumentScan
{
    public const int MaxLength = 64 << 10;
    public const int MaxTokens = 5_000;
    public const int MaxDepth = 32;
    public const int MaxDirectives = 50;
    public const int MaxSpreads = 100;

    /// <summary>Why a document that is longer is refused.</summary>
    public static readonly string TooLong = $"A document has at most {MaxLength} characters.";

    /// <summary>Faults at later columns are not left to the parser.</summary>
    const int LongLine = 1_000;

    static readonly SearchValues<char> Escaped = SearchValues.Create("\"\\/bfnrt");

    readonly List<(int Start, int Length)> tokens = [];
    int comments;

    DocumentScan(string text)
    {
        // The parser fails while it tells where a fault is if a line ends with a carriage return.
        Text = text.Contains('\r', StringComparison.Ordinal)
            ? text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n')
            : text;
        TooMuch = Scan(Text);
        if (comments > 0)
            Text = WithoutComments();
    }

    /// <summary>
    /// The document to be parsed: its lines end with a line feed alone, and spaces stand for comments, in which the
    /// parser looks for escapes.
    /// </summary>
    public string Text { get; }

    /// <summary>What the document has too much of; null when it is within the limits.</summary>
    public string? TooMuch { get; }

    /// <summary>Where a token is not one; null when all are.</summary>
    public Location? Fault { get; private set; }

    /// <summary>Looks through a document.</summary>
    public static DocumentScan Of(string text) => new(text);

    /// <summary>Whether a fault may be so far from the start of its line that the parser takes long to tell of it.</summary>
    public bool HasLongLine
    {
        get
        {
            var rest = Text.AsSpan();
            while (rest.Length > LongLine)
            {
                var end = rest[..(LongLine + 1)].LastIndexOf('\n');
                if (end < 0)
                    return true;
                rest = rest[(end + 1)..];
            }
            return false;
        }
    }

    /// <summary>The tokens, one a line. Strings, which have no faults, are empty.</summary>
    public string Lines()
    {
        var lines = new StringBuilder(Text.Length + tokens.Count);
        foreach (var (start, length) in tokens)
            (Text[start] is '"' ? lines.Append("\"\"") : lines.Append(Text, start, length)).Append('\n');
        // What is behind the last token is on a line of its own, too.
        return lines.Append('\n').ToString();
    }

    /// <summary>Where in the text a line of <see cref="Lines"/> comes from.</summary>
    /// <param name="line">From 1; the line behind the last is the end of the text.</param>
    public Location PlaceOf(int line) =>
        Location.FromLinearPosition(Text, line <= tokens.Count ? tokens[line - 1].Start : Text.Length);

    string? Scan(string text)
    {
        if (text.Length > MaxLength)
            return TooLong;
        var (depth, directives, spreads) = (0, 0, 0);
        for (var at = 0; at < text.Length; )
        {
            var start = at;
            switch (text[at])
            {
                case ' ' or '\t' or '\n' or ',' or '\uFEFF':
                    at++;
                    continue;
                case '#':
                    at += LengthOfComment(text.AsSpan(at));
                    comments++;
                    continue;
                case '"':
                    at += OfString(at);
                    break;
                case '{' or '[' or '(':
                    depth++;
                    at++;
                    break;
                case '}' or ']' or ')':
                    depth--;
                    at++;
                    break;
                case '@':
                    directives++;
                    at++;
                    break;
                case '.' when text.AsSpan(at).StartsWith("..."):
                    spreads++;
                    at += 3;
                    break;
                case var c when char.IsAsciiLetter(c) || c is '_':
                    at += LengthOfName(text.AsSpan(at));
                    break;
                case var c when char.IsAsciiDigit(c) || c is '-':
                    at += OfNumber(at);
                    break;
                default:
                    at++;
                    break;
            }
            tokens.Add((start, at - start));
            if (tokens.Count > MaxTokens)
                return $"A document has at most {MaxTokens} tokens.";
            if (depth > MaxDepth)
                return $"A document is nested at most {MaxDepth} levels deep.";
            if (directives > MaxDirectives)
                return $"A document has at most {MaxDirectives} directives.";
            if (spreads > MaxSpreads)
                return $"A document has at most {MaxSpreads} spreads.";
        }
        return null;
    }

    /// <summary>Remembers the first fault.</summary>
    void FaultAt(int position) => Fault ??= Location.FromLinearPosition(Text, position);

    string WithoutComments()
    {
        var plain = Text.ToCharArray();
        var end = 0;
        foreach (var (start, length) in tokens.Append((Text.Length, 0)))
        {
            // Between tokens are comments, and what is as good as a space.
            for (var at = end; at < start; at++)
                if (plain[at] is not '\n')
                    plain[at] = ' ';
            end = start + length;
        }
        return new string(plain);
    }

    static int LengthOfName(ReadOnlySpan<char> text)
    {
        var length = 1;
        while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] is '_'))
            length++;
        return length;
    }

    /// <summary>The length of a number, behind which neither a name nor a point may stand.</summary>
    int OfNumber(int start)
    {
        var text = Text.AsSpan(start);
        var at = text[0] is '-' ? 1 : 0;
        var first = at;
        // No digit follows a 0 before the point.
        var isWhole = Digits(text, ref at) && (text[first] is not '0' || at == first + 1);
        if (isWhole && at < text.Length && text[at] is '.')
        {
            at++;
            isWhole = Digits(text, ref at);
        }
        if (isWhole && at < text.Length && text[at] is 'e' or 'E')
        {
            at++;
            if (at < text.Length && text[at] is '+' or '-')
                at++;
            isWhole = Digits(text, ref at);
        }
        if (!isWhole || at < text.Length && (char.IsAsciiLetter(text[at]) || text[at] is '_' or '.'))
            FaultAt(start);
        return at;
    }

    static bool Digits(ReadOnlySpan<char> text, ref int at)
    {
        var start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        return at > start;
    }

    static int LengthOfComment(ReadOnlySpan<char> text) =>
        text.IndexOf('\n') is >= 0 and var length ? length : text.Length;

    /// <summary>The length of a string, with its quotes.</summary>
    int OfString(int start)
    {
        var text = Text.AsSpan(start);
        return text.StartsWith("\"\"\"") ? OfBlock(text, start) : OfLine(text, start);
    }

    int OfBlock(ReadOnlySpan<char> text, int start)
    {
        for (var at = 3; at < text.Length; at++)
            if (text[at..].StartsWith("\\\"\"\""))
                at += 3;
            else if (text[at..].StartsWith("\"\"\""))
                return at + 3;
            else if (text[at] is < ' ' and not '\t' and not '\n')
                FaultAt(start + at);
        FaultAt(start);
        return text.Length;
    }

    int OfLine(ReadOnlySpan<char> text, int start)
    {
        for (var at = 1; at < text.Length; at++)
            switch (text[at])
            {
                case '"':
                    return at + 1;
                case '\n':
                    FaultAt(start);
                    return at;
                case '\\' when text[(at + 1)..] is ['u', var a, var b, var c, var d, ..]:
                    if (
                        !(
                            char.IsAsciiHexDigit(a)
                            && char.IsAsciiHexDigit(b)
                            && char.IsAsciiHexDigit(c)
                            && char.IsAsciiHexDigit(d)
                        )
                    )
                        FaultAt(start + at);
                    at++;
                    break;
                case '\\':
                    if (text[(at + 1)..] is not [var escaped, ..] || !Escaped.Contains(escaped))
                        FaultAt(start + at);
                    else
                        at++;
                    break;
                case < ' ' and not '\t':
                    FaultAt(start + at);
                    break;
            }
        FaultAt(start);
        return text.Length;
    }
}
