using System.Security.Cryptography;
using System.Text;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// The text of API keys: <c>rsk_</c>, the id, a secret of 256 random bits and a checksum, which is keyed, so that
/// made-up keys are refused without a look-up.
/// </summary>
public sealed class ApiKeyText(MasterKey master)
{
    public const string Prefix = "rsk_";

    const int IdLength = 32;
    const int SecretLength = 64;
    const int CheckLength = 16;
    const int Length = 4 + IdLength + 1 + SecretLength + CheckLength;

    readonly byte[] checkKey = master.Derive("checksums of API keys");

    /// <summary>A new key's text, and the hash of its secret to be kept.</summary>
    public (string Text, string SecretHash) Create(Guid id)
    {
        var body = $"{Prefix}{id:N}_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SecretLength / 2))}";
        return (body + Check(body), Hash(body[^SecretLength..]));
    }

    /// <summary>The id and the hash of the secret in a text; null when it is no key of ours.</summary>
    public (Guid Id, string SecretHash)? Read(string text)
    {
        if (
            text.Length is not Length
            || !text.StartsWith(Prefix, StringComparison.Ordinal)
            || text[4 + IdLength] is not '_'
        )
            return null;
        var body = text[..^CheckLength];
        if (!Guid.TryParseExact(text.AsSpan(4, IdLength), "N", out var id) || !Same(Check(body), text[^CheckLength..]))
            return null;
        return (id, Hash(body[^SecretLength..]));
    }

    /// <summary>Compares without telling how far two texts are equal.</summary>
    public static bool Same(string one, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));

    string Check(string body) =>
        Convert.ToHexStringLower(
            HMACSHA256.HashData(checkKey, Encoding.ASCII.GetBytes(body)).AsSpan(0, CheckLength / 2)
        );

    static string Hash(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret)));
}
