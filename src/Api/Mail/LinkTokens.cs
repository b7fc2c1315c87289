using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What a link in a mail is for.</summary>
public enum LinkPurpose : byte
{
    VerifyEmail = 1,
    SetPassword = 2,
}

/// <summary>
/// Tokens of links in mails, under a MAC of the operator's key; nothing of them is stored. Each names what it is to
/// change, by its name in the vault: once that has changed the token is spent, and so is every other that was sent
/// before.
/// </summary>
public sealed class LinkTokens(MasterKey master, TimeProvider time)
{
    const int PayloadBytes = 1 + 16 + 16 + 8;
    const int MacBytes = 32;

    public static readonly TimeSpan Life = TimeSpan.FromHours(1);

    readonly byte[] key = master.Derive("links in mails");

    /// <param name="changes">The secret that is to be verified or replaced; empty = the first of its kind.</param>
    /// <param name="life">How long the link is good.</param>
    public string Create(LinkPurpose purpose, Guid account, Guid changes, TimeSpan life)
    {
        Span<byte> bytes = stackalloc byte[PayloadBytes + MacBytes];
        bytes[0] = (byte)purpose;
        account.TryWriteBytes(bytes[1..]);
        changes.TryWriteBytes(bytes[17..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes[33..], (time.GetUtcNow() + life).ToUnixTimeSeconds());
        HMACSHA256.HashData(key, bytes[..PayloadBytes], bytes[PayloadBytes..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a token; null when it is none of ours, for something else, or too old.</summary>
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
