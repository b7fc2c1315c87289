namespace Resources.Grains;

/// <summary>RFC 7396, RFC 6902, or RFC 6902 with the operations that <see cref="JsonPatch"/> has beside.</summary>
public enum PatchFormat
{
    Merge,
    Json,
    Extended,
}
