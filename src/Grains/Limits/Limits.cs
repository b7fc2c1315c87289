namespace Resources.Grains;

/// <summary>How keys are distributed over grains.</summary>
public static class Limits
{
    /// <summary>The buckets of a policy's keys, so that several nodes share the counting.</summary>
    public const int Buckets = 64;
}
