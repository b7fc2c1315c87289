namespace Resources.Projections;

/// <summary>What a filter compares with.</summary>
public abstract record FilterValue
{
    FilterValue() { }

    /// <summary>
    /// A text. In an equality it may have wildcards, each of which stands for any run of characters, also for none.
    /// </summary>
    /// <param name="Pattern">
    /// The text, in which '*' is a wildcard; an asterisk or a backslash that is meant as such has a backslash before
    /// it.
    /// </param>
    public sealed record Text(string Pattern) : FilterValue
    {
        /// <summary>A text without wildcards.</summary>
        public static Text Of(string literal) =>
            new(literal.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal));

        /// <summary>
        /// The plain texts before, between and after the wildcards: a single one when there are none.
        /// </summary>
        public IReadOnlyList<string> Pieces
        {
            get
            {
                var pieces = new List<string>();
                var piece = new System.Text.StringBuilder();
                for (var i = 0; i < Pattern.Length; i++)
                    if (Pattern[i] is '*')
                    {
                        pieces.Add(piece.ToString());
                        piece.Clear();
                    }
                    else
                        piece.Append(Pattern[i] is '\\' ? Pattern[++i] : Pattern[i]);
                pieces.Add(piece.ToString());
                return pieces;
            }
        }

        /// <summary>The text with every wildcard taken as the asterisk that it was written as.</summary>
        public string Literal => string.Join('*', Pieces);
    }

    /// <summary>A number of JSON, compared by its value.</summary>
    /// <param name="Json">Its spelling, short enough to be kept by the store.</param>
    public sealed record Number(string Json) : FilterValue;

    /// <summary>True or false.</summary>
    public sealed record Truth(bool Value) : FilterValue;

    /// <summary>The null of JSON: a member that is there with this value.</summary>
    public sealed record Null : FilterValue;

    /// <summary>A whole number, from 0.</summary>
    public sealed record Whole(long Value) : FilterValue;

    /// <summary>An id.</summary>
    public sealed record Id(Guid Value) : FilterValue;

    /// <summary>A point in time, in whole microseconds.</summary>
    public sealed record Time(DateTimeOffset Value) : FilterValue;
}
