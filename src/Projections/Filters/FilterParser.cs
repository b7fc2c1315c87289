using System.Buffers;
using System.Text;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// Reads the filter language of lists, which is that of AIP-160: <c>type = book AND (status = draft OR metadata.price
/// &lt; 10) -faust</c>. OR binds tighter than AND, and conditions side by side are joined by AND.
/// </summary>
public sealed class FilterParser
{
    const int MaxLength = 4096;
    const int MaxNesting = 32;
    const int MaxConditions = 100;

    readonly FilterFaults faults;
    readonly FilterScanner scanner;
    readonly FilterFields fields;
    int nesting;

    FilterParser(string text, FilterFaults faults)
    {
        this.faults = faults;
        scanner = new(text, faults);
        fields = new(faults);
    }

    /// <summary>
    /// Reads a filter, or answers null and adds at least one fault: the first one of the syntax, and every unknown
    /// field and unfitting value before it. A filter of nothing but white space is no fault; it is null as well, and
    /// asks for nothing.
    /// </summary>
    public static Filter? Parse(string text, List<FilterFault> faults)
    {
        var found = new FilterFaults(text, faults);
        if (StrictJson.ScalarLength(text) > MaxLength)
            return found.Add(IndexOfScalar(text, MaxLength), $"A filter has at most {MaxLength} characters.");
        if (!StrictJson.TextIsClean(text))
            return found.Add(
                IndexOfUnclean(text),
                "A filter has neither NUL characters nor halves of surrogate pairs."
            );

        var parser = new FilterParser(text, found);
        parser.scanner.SkipSpace();
        if (parser.scanner.AtEnd)
            return null;
        var filter = parser.Expression(null);
        if (filter is not null && !parser.scanner.AtEnd)
            return found.Add(parser.scanner.At, "No parenthesis is open that this ')' could close.");
        return found.Any ? null : filter;
    }

    // Inside the parentheses after a comparator the conditions are values, and `compare` says what a value means there.

    Filter? Expression(Func<FilterArgument, Filter>? compare)
    {
        var left = Sequence(compare);
        while (left is not null && scanner.TakeKeyword("AND"))
            left = Sequence(compare) is { } right ? new Filter.And(left, right) : null;
        return left;
    }

    Filter? Sequence(Func<FilterArgument, Filter>? compare)
    {
        var left = Factor(compare);
        while (left is not null && !scanner.AtBoundary && !scanner.SeesKeyword("AND"))
            left = Factor(compare) is { } right ? new Filter.And(left, right) : null;
        return left;
    }

    Filter? Factor(Func<FilterArgument, Filter>? compare)
    {
        var left = Term(compare);
        while (left is not null && scanner.TakeKeyword("OR"))
            left = Term(compare) is { } right ? new Filter.Or(left, right) : null;
        return left;
    }

    Filter? Term(Func<FilterArgument, Filter>? compare)
    {
        scanner.SkipSpace();
        var negated = TakeNegation(compare);
        scanner.SkipSpace();
        var at = scanner.At;
        if (negated && TakeNegation(compare))
            return faults.Add(at, "A condition is negated once; to negate it again, put it in parentheses.");
        var inner = Simple(compare);
        scanner.SkipSpace();
        return negated && inner is not null ? new Filter.Not(inner) : inner;
    }

    bool TakeNegation(Func<FilterArgument, Filter>? compare) =>
        scanner.TakeKeyword("NOT") || scanner.TakeMinus(beforeDigits: compare is null);

    Filter? Simple(Func<FilterArgument, Filter>? compare)
    {
        var expected = compare is null ? "condition" : "value";
        if (scanner.AtEnd)
            return faults.Add(scanner.At, $"The filter ends where a {expected} is expected.");
        if (scanner.Current is ')')
            return faults.Add(scanner.At, $"A {expected} is expected before this ')'.");
        if (scanner.SeesKeyword())
            return faults.Add(
                scanner.At,
                $"A {expected} is expected here; a word that is spelled like AND, OR or NOT stands in double quotes."
            );
        if (scanner.SeesLoneMinus)
            return faults.Add(scanner.At, "A '-' stands directly before what it negates.");
        if (scanner.Current is '(')
            return Group(compare);

        var at = scanner.At;
        var leaf = compare is null ? Restriction() : Argument(compare);
        return leaf is not null && fields.Conditions > MaxConditions
            ? faults.Add(
                at,
                $"A filter has at most {MaxConditions} conditions; each word that is searched for counts as one."
            )
            : leaf;
    }

    Filter? Group(Func<FilterArgument, Filter>? compare)
    {
        var open = scanner.At;
        if (++nesting > MaxNesting)
            return faults.Add(open, $"Parentheses are nested at most {MaxNesting} deep.");
        scanner.Take('(');
        if (Expression(compare) is not { } inner)
            return null;
        if (!scanner.Take(')'))
            return faults.Add(open, "The parenthesis that opens here is not closed.");
        nesting--;
        return inner;
    }

    Filter? Restriction()
    {
        if (Path() is not { } path)
            return null;
        scanner.SkipSpace();
        var at = scanner.At;
        if (scanner.TakeComparator() is not { } comparator)
            return fields.Bare(path);
        if (path.MissingStep is { } missing)
            return faults.Add(missing, "The name of a field or member is expected here.");

        var compare = fields.Comparison(path, comparator, at);
        scanner.SkipSpace();
        if (scanner.Current is '(')
            return Group(compare);
        if (scanner.AtBoundary)
            return faults.Add(scanner.At, "A value is expected here.");
        return Argument(compare);
    }

    /// <summary>Words and quoted texts, joined by dots: the path of a field, or something to search for.</summary>
    FilterPath? Path()
    {
        var start = scanner.At;
        var steps = new List<string>();
        var missing = (int?)null;
        do
        {
            var at = scanner.At;
            if (scanner.Current is '"')
            {
                if (scanner.TakeString() is not { } quoted)
                    return null;
                if (!scanner.AtBoundary && scanner.Current is not ('.' or '=' or '!' or '<' or '>' or ':'))
                    return EndOfString();
                steps.Add(quoted.Literal);
            }
            else
            {
                if (scanner.TakeWord() is not { } word)
                    return null;
                if (word is "")
                    missing ??= at;
                steps.Add(word);
            }
        } while (scanner.Take('.'));
        return new(start, steps, scanner.Slice(start, scanner.At), missing);
    }

    FilterPath? EndOfString()
    {
        faults.Add(scanner.At, "White space is expected between a text in double quotes and what follows.");
        return null;
    }

    Filter? Argument(Func<FilterArgument, Filter> compare)
    {
        var at = scanner.At;
        var quoted = scanner.Current is '"';
        if ((quoted ? scanner.TakeString() : scanner.TakeValue()) is not { } text)
            return null;
        if (quoted && !scanner.AtBoundary)
        {
            EndOfString();
            return null;
        }
        return compare(new(at, text, quoted));
    }

    static int IndexOfScalar(string text, int scalars)
    {
        var at = 0;
        for (; scalars > 0; scalars--)
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        return at;
    }

    static int IndexOfUnclean(string text)
    {
        var at = 0;
        while (
            text[at] is not '\0' && Rune.DecodeFromUtf16(text.AsSpan(at), out _, out var length) is OperationStatus.Done
        )
            at += length;
        return at;
    }
}

/// <summary>What may be the path of a field.</summary>
/// <param name="At">Where it begins.</param>
/// <param name="Steps">Its steps, unquoted.</param>
/// <param name="Raw">Its whole text as written.</param>
/// <param name="MissingStep">Where a step has no name, if one has none.</param>
sealed record FilterPath(int At, IReadOnlyList<string> Steps, string Raw, int? MissingStep)
{
    /// <summary>The text of a path that is nothing but a text in double quotes; null for others.</summary>
    public string? Quoted => Steps is [var only] && Raw[0] is '"' ? only : null;
}

/// <summary>A value as written.</summary>
readonly record struct FilterArgument(int At, FilterValue.Text Text, bool Quoted)
{
    /// <summary>Whether it is the bare asterisk that asks whether something is there.</summary>
    public bool IsStar => !Quoted && Text.Pattern is "*";
}
