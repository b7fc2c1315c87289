namespace Resources.Grains;

/// <summary>A point in a resource's past: exactly one member is set.</summary>
[GenerateSerializer, Immutable, Alias("moment")]
public sealed record Moment(long? Version = null, DateTimeOffset? Time = null, long? Position = null);
