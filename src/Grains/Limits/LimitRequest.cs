namespace Resources.Grains;

/// <summary>A node's request for permits.</summary>
/// <param name="Key">A hash of the limited subject, which hides who it is.</param>
/// <param name="Permits">The permits in one window.</param>
/// <param name="WindowMilliseconds">The length of a window.</param>
/// <param name="Wanted">The number of permits that the node wants.</param>
/// <param name="Returned">The number of unused permits that the node returns.</param>
/// <param name="ReturnedOf">The window of the returned permits.</param>
[GenerateSerializer, Immutable, Alias("limit-request")]
public sealed record LimitRequest(
    string Key,
    int Permits,
    int WindowMilliseconds,
    int Wanted,
    int Returned,
    long ReturnedOf
);
