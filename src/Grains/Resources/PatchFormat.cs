namespace Resources.Grains;

/// <summary>RFC 7396 or RFC 6902.</summary>
public enum PatchFormat
{
    Merge,
    Json,
}
