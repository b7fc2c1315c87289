namespace Resources.Api;

/// <summary>
/// Forty thousand common passwords, names and English words, the most common first: the list that whoever guesses tries
/// first.
/// </summary>
static class CommonWords
{
    static readonly Dictionary<string, double> Costs = Read();

    static readonly Dictionary<string, double>.AlternateLookup<ReadOnlySpan<char>> Lookup = Costs.GetAlternateLookup<
        ReadOnlySpan<char>
    >();

    /// <summary>The letters of the longest one.</summary>
    public static readonly int MaxLength = Costs.Keys.Max(word => word.Length);

    /// <summary>The decimal digits of the guesses that find a word; null when it is not common.</summary>
    /// <param name="word">In lower case.</param>
    public static double? Cost(ReadOnlySpan<char> word) => Lookup.TryGetValue(word, out var cost) ? cost : null;

    static Dictionary<string, double> Read()
    {
        using var list = new StreamReader(typeof(CommonWords).Assembly.GetManifestResourceStream("common-words.txt")!);
        var costs = new Dictionary<string, double>();
        while (list.ReadLine() is { } word)
            costs.Add(word, Math.Log10(costs.Count + 1));
        return costs;
    }
}
