using Npgsql;

namespace Resources.Projections;

/// <summary>
/// Which words of resources begin with those that are searched for. To look for a beginning PostgreSQL collects all
/// rows of all words that begin so, before it looks at anything else; whole words it follows only where the rarest of
/// them leads.
/// </summary>
public sealed class Lexicon
{
    /// <summary>A beginning of more words than this stays one.</summary>
    public const int MaxWords = 64;

    readonly Dictionary<string, string[]> words = [];

    Lexicon() { }

    /// <summary>
    /// The beginnings of words that a filter searches for, if it has several words: for a single one all rows are collected
    /// either way.
    /// </summary>
    public static string[] BeginningsIn(Filter? filter)
    {
        if (filter is null)
            return [];
        var found = new HashSet<string>(StringComparer.Ordinal);
        var whole = new HashSet<string>(StringComparer.Ordinal);
        Collect(filter, found, whole);
        return found.Count + whole.Count > 1 ? [.. found] : [];
    }

    /// <summary>
    /// Looks beginnings up in <c>resource_words</c>, which stays what it is until the end of the transaction.
    /// </summary>
    /// <param name="transaction">
    /// A new one, REPEATABLE READ: the rows must be of the same moment as their words.
    /// </param>
    public static async Task<Lexicon> ReadAsync(
        NpgsqlTransaction transaction,
        string[] beginnings,
        CancellationToken ct
    )
    {
        var lexicon = new Lexicon();
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        // In a statement of its own, as the next one takes the snapshot: no other generation takes this one's place in
        // between.
        batch.BatchCommands.Add(new("lock table resource_words in access share mode"));
        batch.BatchCommands.Add(
            new(
                $"""
                select beginning, array(select word from resource_words where word >= beginning and word < beginning || chr({0x10FFFF}) order by word limit {MaxWords
                    + 1})
                from unnest($1) asked(beginning)
                """
            )
            {
                Parameters = { new NpgsqlParameter<string[]> { TypedValue = beginnings } },
            }
        );
        await using var reader = await batch.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            if (reader.GetFieldValue<string[]>(1) is { Length: <= MaxWords } found)
                lexicon.words.Add(reader.GetString(0), found);
        return lexicon;
    }

    /// <summary>All words that begin so; null when they are too many, or were not looked up.</summary>
    public string[]? WordsFrom(string beginning) => words.GetValueOrDefault(beginning);

    static void Collect(Filter filter, HashSet<string> found, HashSet<string> whole)
    {
        switch (filter)
        {
            case Filter.And and:
                Collect(and.Left, found, whole);
                Collect(and.Right, found, whole);
                break;
            case Filter.Or or:
                Collect(or.Left, found, whole);
                Collect(or.Right, found, whole);
                break;
            case Filter.Not not:
                Collect(not.Inner, found, whole);
                break;
            case Filter.Search { IsPhrase: true } phrase:
                found.Add(phrase.Words[^1]);
                whole.UnionWith(phrase.Words.SkipLast(1));
                break;
            case Filter.Search search:
                found.UnionWith(search.Words);
                break;
        }
    }
}
