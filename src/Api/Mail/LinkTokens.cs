using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Resources.Silo;

namespace Resources.Api;

/// <summary>The purpose of a mailed link.</summary>
public enum LinkPurpose : byte
{
    VerifyEmail = 1,
    SetPassword = 2,
}

/// <summary>
/// Stateless tokens of mailed links, MACed with a key derived from the master key. A token names the vault entry that
/// it may change. Once that entry has changed, the token and all earlier ones are spent.
/// </summary>
public sealed class LinkTokens(MasterKey master, TimeProvider time)
{
    const int PayloadBytes = 1 + 16 + 16 + 8;
    const int MacBytes = 32;

    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    readonly byte[] key = master.Derive("links in mails");

    /// <param name="changes">The secret to verify or replace; empty if there is none yet.</param>
    /// <param name="lifetime">The time until the link expires.</param>
    public string Create(LinkPurpose purpose, Guid account, Guid changes, TimeSpan lifetime)
    {
        Span<byte> bytes = stackalloc byte[PayloadBytes + MacBytes];
        bytes[0] = (byte)purpose;
        account.TryWriteBytes(bytes[1..]);
        changes.TryWriteBytes(bytes[17..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes[33..], (time.GetUtcNow() + lifetime).ToUnixTimeSeconds());
        HMACSHA256.HashData(key, bytes[..PayloadBytes], bytes[PayloadBytes..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a token; null if it is forged, has another purpose, or has expired.</summary>
    public (Guid Account, Guid Changes)? Read(LinkPurpose purpose, string text)
    {
        Span<byte> bytes = stackalloc byte[PayloadBytes + MacBytes];
        if (
            text.Length != Base64Url.GetEncodedLength(bytes.Length)
            || Base64Url.DecodeFromChars(text, bytes, out _, out var written) is not OperationStatus.Done
            || written != bytes.Length
        )
            return null;
        Span<byte> mac = stackalloc byte[MacBytes];
        HMACSHA256.HashData(key, bytes[..PayloadBytes], mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, bytes[PayloadBytes..]) || bytes[0] != (byte)purpose)
            return null;
        return BinaryPrimitives.ReadInt64BigEndian(bytes[33..]) > time.GetUtcNow().ToUnixTimeSeconds()
            ? (new(bytes[1..17]), new(bytes[17..33]))
            : null;
    }
}
