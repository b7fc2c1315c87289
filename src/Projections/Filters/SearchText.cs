namespace Resources.Projections;

/// <summary>The text of a search: words, and phrases in double quotes.</summary>
public static class SearchText
{
    /// <summary>
    /// What a text asks for; null where it has no words. A quote that is not closed goes on to the end.
    /// </summary>
    public static Filter? Read(string text)
    {
        var pieces = text.Split('"').Index().ToArray();
        var unquoted = string.Join(' ', pieces.Where(piece => piece.Index % 2 is 0).Select(piece => piece.Item));
        var quoted = pieces.Where(piece => piece.Index % 2 is 1).Select(piece => piece.Item);
        Filter?[] asked =
        [
            Filter.Search.Of(unquoted, nameOnly: false, isQuoted: false),
            .. quoted.Select(piece => Filter.Search.Of(piece, nameOnly: false, isQuoted: true)),
        ];
        return asked
            .OfType<Filter>()
            .Aggregate((Filter?)null, (all, one) => all is null ? one : new Filter.And(all, one));
    }
}
