using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Refresh tokens, session cookies and CSRF tokens: the session's id and the generation under a MAC of the operator's
/// key. Nothing of them is stored, so a copy of the database holds none; what is made up is refused without a look-up;
/// and one that was good once tells so, which is how its second use is noticed.
/// </summary>
public sealed class SessionTokens(MasterKey master)
{
    /// <summary>So that scanners and people know a leaked one.</summary>
    const string RefreshPrefix = "rrt_";

    const int IdBytes = 16;
    const int PayloadBytes = IdBytes + 4;
    const int MacBytes = 32;

    readonly byte[] refreshKey = master.Derive("refresh tokens");
    readonly byte[] cookieKey = master.Derive("session cookies");
    readonly byte[] csrfKey = master.Derive("csrf tokens");

    public string Refresh(Guid session, int generation) => RefreshPrefix + Seal(refreshKey, session, generation);

    /// <summary>The session and generation of a refresh token; null when it is none of ours.</summary>
    public (Guid Session, int Generation)? ReadRefresh(string text) =>
        text.StartsWith(RefreshPrefix, StringComparison.Ordinal)
            ? Open(refreshKey, text.AsSpan(RefreshPrefix.Length))
            : null;

    public string Cookie(Guid session, int generation) => Seal(cookieKey, session, generation);

    /// <summary>The session and generation of a cookie; null when it is none of ours.</summary>
    public (Guid Session, int Generation)? ReadCookie(string text) => Open(cookieKey, text);

    /// <summary>What a page has to send with everything that its session's cookie authorises.</summary>
    public string Csrf(Guid session) => Base64Url.EncodeToString(HMACSHA256.HashData(csrfKey, session.ToByteArray()));

    /// <summary>Whether a CSRF token is that of a session.</summary>
    public bool IsCsrf(Guid session, string? text) =>
        text is not null
        && CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(Csrf(session)),
            Encoding.UTF8.GetBytes(text)
        );

    static string Seal(byte[] key, Guid session, int generation)
    {
        Span<byte> bytes = stackalloc byte[PayloadBytes + MacBytes];
        session.TryWriteBytes(bytes);
        BinaryPrimitives.WriteInt32BigEndian(bytes[IdBytes..], generation);
        HMACSHA256.HashData(key, bytes[..PayloadBytes], bytes[PayloadBytes..]);
        return Base64Url.EncodeToString(bytes);
    }

    static (Guid, int)? Open(byte[] key, ReadOnlySpan<char> text)
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
        return CryptographicOperations.FixedTimeEquals(mac, bytes[PayloadBytes..])
            ? (new(bytes[..IdBytes]), BinaryPrimitives.ReadInt32BigEndian(bytes[IdBytes..]))
            : null;
    }
}
