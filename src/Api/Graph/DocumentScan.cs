namespace Resources.Api;

/// <summary>
/// One pass over the text of a document, before it is parsed: what is counted here would cost the parser, or whoever
/// walks through its tree, time or stack.
/// </summary>
static class DocumentScan
{
    public const int MaxLength = 64 << 10;
    public const int MaxTokens = 5_000;
    public const int MaxDepth = 32;
    public const int MaxDirectives = 50;
    public const int MaxSpreads = 100;

    /// <summary>What a document has too much of; null when it is within the limits.</summary>
    /// <param name="isTorn">
    /// Whether a number and a name stand together without a space. The grammar forbids that, and the parser takes it.
    /// </param>
    public static string? Refuse(ReadOnlySpan<char> text, out bool isTorn)
    {
        isTorn = false;
        if (text.Length > MaxLength)
            return $"A document has at most {MaxLength} characters.";
        var (tokens, depth, directives, spreads) = (0, 0, 0, 0);
        for (var at = 0; at < text.Length; )
        {
            switch (text[at])
            {
                case ' ' or '\t' or '\n' or '\r' or ',' or '\uFEFF':
                    at++;
                    continue;
                case '#':
                    at += LengthOf(text[at..], "\n\r");
                    continue;
                case '"':
                    at += OfString(text[at..]);
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
                case '.' when text[at..].StartsWith("...", StringComparison.Ordinal):
                    spreads++;
                    at += 3;
                    break;
                case var c when char.IsAsciiLetter(c) || c is '_':
                    at += LengthOfName(text[at..]);
                    break;
                case var c when char.IsAsciiDigit(c) || c is '-':
                    at += LengthOfNumber(text[at..]);
                    isTorn |= at < text.Length && (char.IsAsciiLetter(text[at]) || text[at] is '_');
                    break;
                default:
                    at++;
                    break;
            }
            if (++tokens > MaxTokens)
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

    static int LengthOfName(ReadOnlySpan<char> text)
    {
        var length = 1;
        while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] is '_'))
            length++;
        return length;
    }

    /// <summary>The length of a number; three dots behind it are a spread.</summary>
    static int LengthOfNumber(ReadOnlySpan<char> text)
    {
        var length = 1;
        while (
            length < text.Length
            && (
                char.IsAsciiDigit(text[length])
                || text[length] is 'e' or 'E' or '+' or '-'
                || text[length] is '.' && !text[length..].StartsWith("..", StringComparison.Ordinal)
            )
        )
            length++;
        return length;
    }

    static int LengthOf(ReadOnlySpan<char> text, string end) =>
        text.IndexOfAny(end) is >= 0 and var length ? length : text.Length;

    /// <summary>The length of a string, with its quotes; what ends in the middle of one is not parsed anyway.</summary>
    static int OfString(ReadOnlySpan<char> text)
    {
        if (text.StartsWith("\"\"\"", StringComparison.Ordinal))
        {
            for (var at = 3; at < text.Length; at++)
                if (text[at..].StartsWith("\\\"\"\"", StringComparison.Ordinal))
                    at += 3;
                else if (text[at..].StartsWith("\"\"\"", StringComparison.Ordinal))
                    return at + 3;
            return text.Length;
        }
        for (var at = 1; at < text.Length; at++)
            switch (text[at])
            {
                case '\\':
                    at++;
                    break;
                case '"':
                    return at + 1;
                case '\n' or '\r':
                    return at;
            }
        return text.Length;
    }
}
