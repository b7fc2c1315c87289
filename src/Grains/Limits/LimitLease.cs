namespace Resources.Grains;

/// <summary>The permits that a node gets.</summary>
/// <param name="Granted">The number of permits, for this window only.</param>
/// <param name="Window">The window, by its start in milliseconds since 1970.</param>
/// <param name="Left">The number of permits that no node has yet.</param>
/// <param name="EndsIn">
/// Milliseconds from the answer until the window ends. A node that counts them from before its request never outlives
/// the window.
/// </param>
[GenerateSerializer, Immutable, Alias("limit-lease")]
public sealed record LimitLease(int Granted, long Window, int Left, int EndsIn);
