using System.Security.Cryptography;
using System.Text;

namespace Resources.Grains;

/// <summary>
/// Ids that follow from what they name, so that who knows the one knows the other: UUIDv8, 122 bits of a hash.
/// </summary>
public static class DerivedId
{
    /// <summary>The id of the given parts; the first says what kind of thing is named.</summary>
    public static Guid Of(params ReadOnlySpan<string> parts)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts)), hash);
        hash[6] = (byte)(hash[6] & 0x0F | 0x80);
        hash[8] = (byte)(hash[8] & 0x3F | 0x80);
        return new(hash[..16], bigEndian: true);
    }
}
