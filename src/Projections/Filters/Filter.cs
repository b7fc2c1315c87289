namespace Resources.Projections;

/// <summary>
/// A condition on resources, as <see cref="FilterParser"/> reads it and <see cref="FilterSql"/> writes it. Every
/// condition either holds for a resource or does not: there is no third answer. Two are equal when they are built
/// alike.
/// </summary>
public abstract record Filter
{
    Filter() { }

    /// <summary>Both hold.</summary>
    public sealed record And(Filter Left, Filter Right) : Filter;

    /// <summary>One of them holds, or both.</summary>
    public sealed record Or(Filter Left, Filter Right) : Filter;

    /// <summary>
    /// The inner one does not hold, for whatever reason: <c>NOT metadata.a = 5</c> holds without a member <c>a</c>.
    /// </summary>
    public sealed record Not(Filter Inner) : Filter;

    /// <summary>
    /// A field of the resource stands in a relation to a value of its type. A field that is not set stands in none.
    /// </summary>
    /// <param name="Name">The field.</param>
    /// <param name="Comparator">Any but <see cref="Comparator.Has"/>; ids have no order.</param>
    /// <param name="Value">
    /// <see cref="FilterValue.Id"/>, <see cref="FilterValue.Whole"/>, <see cref="FilterValue.Time"/> or
    /// <see cref="FilterValue.Text"/>, as the field has it.
    /// </param>
    public sealed record Field(ResourceField Name, Comparator Comparator, FilterValue Value) : Filter;

    /// <summary>
    /// A field is set. All are but <see cref="ResourceField.DeletedAt"/>, which only a deleted resource has.
    /// </summary>
    public sealed record FieldPresent(ResourceField Name) : Filter;

    /// <summary>
    /// A member of the metadata stands in a relation to a value. Only <see cref="Comparator.Has"/> looks into arrays:
    /// one level at each step of the path and at its end. <see cref="Comparator.NotEqual"/> needs the member to be
    /// there.
    /// </summary>
    /// <param name="Pointer">
    /// A JSON Pointer into the metadata, of at least one step; a step is always the name of a member.
    /// </param>
    /// <param name="Comparator">Any; an order only with a text or a number.</param>
    /// <param name="Value">
    /// <see cref="FilterValue.Text"/>, <see cref="FilterValue.Number"/>, <see cref="FilterValue.Truth"/> or
    /// <see cref="FilterValue.Null"/>.
    /// </param>
    public sealed record Metadata(string Pointer, Comparator Comparator, FilterValue Value) : Filter;

    /// <summary>The metadata has a member, be it null; arrays on the way are looked into.</summary>
    /// <param name="Pointer">
    /// A JSON Pointer into the metadata; "" is the metadata itself, which is always there.
    /// </param>
    public sealed record MetadataPresent(string Pointer) : Filter;

    /// <summary>
    /// Each word is the beginning of a word of the resource: of its name, or of any text in its metadata. In a phrase only
    /// the last one is a beginning, and they stand side by side in one of these texts, in this order.
    /// </summary>
    /// <param name="Words">At least one word, as <see cref="SearchWords.Of"/> gives them; in a phrase at least two.</param>
    /// <param name="NameOnly">Whether the name alone is looked at.</param>
    /// <param name="IsPhrase">Whether they are a phrase.</param>
    public sealed record Search(IReadOnlyList<string> Words, bool NameOnly, bool IsPhrase = false) : Filter
    {
        /// <summary>
        /// A search for the words of a text, which are a phrase where the text was in quotes; null without words.
        /// </summary>
        public static Search? Of(string text, bool nameOnly, bool isQuoted) =>
            SearchWords.Of(text).ToArray() switch
            {
                [] => null,
                [_, _, ..] and var words when isQuoted => new(words, nameOnly, IsPhrase: true),
                var words => new([.. words.Distinct(StringComparer.Ordinal)], nameOnly),
            };

        public bool Equals(Search? other) =>
            other is not null
            && (NameOnly, IsPhrase) == (other.NameOnly, other.IsPhrase)
            && Words.SequenceEqual(other.Words, StringComparer.Ordinal);

        public override int GetHashCode() =>
            HashCode.Combine(
                NameOnly,
                IsPhrase,
                Words.Count,
                Words is [] ? 0 : Words[0].GetHashCode(StringComparison.Ordinal)
            );
    }
}

/// <summary>The relations that a filter can ask for.</summary>
public enum Comparator
{
    /// <summary><c>=</c></summary>
    Equal,

    /// <summary><c>!=</c></summary>
    NotEqual,

    /// <summary><c>&lt;</c></summary>
    Less,

    /// <summary><c>&lt;=</c></summary>
    AtMost,

    /// <summary><c>&gt;</c></summary>
    Greater,

    /// <summary><c>&gt;=</c></summary>
    AtLeast,

    /// <summary><c>:</c></summary>
    Has,
}

/// <summary>The fields of a resource that a filter can name, besides its metadata.</summary>
public enum ResourceField
{
    Id,
    Type,
    Name,
    Status,
    Owner,
    Version,
    CreatedAt,
    CreatedBy,
    UpdatedAt,
    UpdatedBy,
    DeletedAt,
}
