namespace Resources.Grains;

/// <summary>
/// Preconditions on the current version. A null list means that the header is absent. An empty list matches no version.
/// </summary>
/// <param name="Has">The unique value that the resource must have; null where it was addressed by its id.</param>
[GenerateSerializer, Immutable, Alias("conditions")]
public sealed record Conditions(
    bool IfMatchAny,
    long[]? IfMatch,
    bool IfNoneMatchAny,
    long[]? IfNoneMatch,
    HeldValue? Has = null
)
{
    public static readonly Conditions None = new(false, null, false, null);

    /// <summary>Whether the preconditions allow a change of a resource at <paramref name="version"/>.</summary>
    public bool Hold(long version) =>
        IfMatchHolds(version) && !IfNoneMatchAny && (IfNoneMatch is null || !IfNoneMatch.Contains(version));

    /// <summary>
    /// Whether If-Match allows <paramref name="version"/>. A read checks only this one, as If-None-Match makes it a
    /// 304.
    /// </summary>
    public bool IfMatchHolds(long version) => IfMatchAny || IfMatch is null || IfMatch.Contains(version);
}
