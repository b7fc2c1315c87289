namespace Resources.Grains;

/// <summary>A set of Unicode code points: ranges of its own and sets that it shares, such as the letters.</summary>
internal sealed class CodePointSet
{
    /// <summary>The last code point.</summary>
    public const int Last = 0x10FFFF;

    // Starts at even places and ends at odd ones, ascending and apart.
    readonly int[] ranges;
    readonly CodePointSet[] parts;
    readonly bool isNegated;
    readonly UInt128 ascii;

    /// <summary>The code points of the ranges and the parts, or all others.</summary>
    public CodePointSet(IEnumerable<(int First, int Last)> ranges, CodePointSet[]? parts = null, bool isNegated = false)
    {
        this.ranges = Merge(ranges);
        this.parts = parts ?? [];
        this.isNegated = isNegated;
        for (var c = 0; c < 128; c++)
            if (Finds(c))
                ascii |= UInt128.One << c;
    }

    /// <summary>Whether the code point is in the set.</summary>
    public bool Contains(int codePoint) => codePoint < 128 ? (ascii >> codePoint & 1) != 0 : Finds(codePoint);

    /// <summary>All code points that are not in this set.</summary>
    public CodePointSet Others() => new([], [this], isNegated: true);

    bool Finds(int codePoint) => (InRanges(codePoint) || InParts(codePoint)) != isNegated;

    bool InRanges(int codePoint)
    {
        var at = Array.BinarySearch(ranges, codePoint);
        // An end that is found is inside; between two places, the next one is an end inside a range.
        return at >= 0 || (~at & 1) != 0;
    }

    bool InParts(int codePoint)
    {
        foreach (var part in parts)
            if (part.Contains(codePoint))
                return true;
        return false;
    }

    static int[] Merge(IEnumerable<(int First, int Last)> ranges)
    {
        var merged = new List<int>();
        foreach (var (first, last) in ranges.Order())
            if (merged.Count > 0 && first <= merged[^1] + 1)
                merged[^1] = Math.Max(merged[^1], last);
            else
                merged.AddRange([first, last]);
        return [.. merged];
    }
}
