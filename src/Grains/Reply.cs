namespace Resources.Grains;

/// <summary>The answer of a grain: a value at a version and position, or a rejection.</summary>
[GenerateSerializer, Immutable, Alias("reply`1")]
public sealed record Reply<T>(T? Value, long Version, long Position, bool Replayed, Rejection? Rejection)
{
    public static Reply<T> Refused(Rejection rejection) => new(default, rejection.Version ?? 0, 0, false, rejection);
}
