namespace Resources.Grains;

/// <summary>The orders of texts that a type can choose for its indexed members, by their names in PostgreSQL.</summary>
public static class Collations
{
    /// <summary>By code point.</summary>
    public const string CodePoints = "C";

    /// <summary>That of Unicode for any language: <c>apple</c> before <c>Zebra</c>, and <c>Äpfel</c> beside <c>apfel</c>.</summary>
    public const string Unicode = "und-x-icu";

    /// <summary>
    /// Whether lists can have the order of Unicode. They can if PostgreSQL had ICU when the read model was built.
    /// </summary>
    public static Task<bool> HasUnicodeAsync(Db db) =>
        db.ScalarAsync<bool>("select has_collation($1)", [Arg.Of(Unicode)]);
}
