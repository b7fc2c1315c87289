namespace Resources.Api;

/// <summary>
/// A rate limit that endpoints name with <see cref="ApiGroup.LimitBy"/>. A feature registers its own as a singleton.
/// </summary>
/// <param name="Name">As answers show it: lower-case letters and underscores.</param>
/// <param name="ByCaller">
/// Whether requests count for their caller where there is one; else for the network address, as before a sign-in.
/// </param>
public sealed record RateLimitPolicy(string Name, RateLimit Limit, bool ByCaller = true);
