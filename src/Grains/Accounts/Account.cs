using System.Security.Cryptography;
using System.Text;

namespace Resources.Grains;

/// <summary>Who may log in. A document and not events: a password hash has no place in a log that others read.</summary>
[GenerateSerializer, Immutable, Alias("account")]
public sealed record Account(Guid Id, string Email, string PasswordHash, string[] Roles, DateTimeOffset CreatedAt)
{
    /// <summary>The form in which addresses are stored and compared.</summary>
    public static string Normalize(string email) => email.Trim().ToLowerInvariant();

    /// <summary>The account id of an address: a UUIDv8 of its normalised form.</summary>
    public static Guid IdOf(string email)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes("account\n" + Normalize(email)), hash);
        hash[6] = (byte)(hash[6] & 0x0F | 0x80);
        hash[8] = (byte)(hash[8] & 0x3F | 0x80);
        return new(hash[..16], bigEndian: true);
    }
}
