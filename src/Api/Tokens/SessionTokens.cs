using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Stateless refresh tokens, session cookies and CSRF tokens: session id and generation, MACed with a key derived from
/// the master key. Nothing is stored, so a copy of the database contains none. Forgeries are refused without a look-up,
/// and the generation of an old token reveals its reuse.
/// </summary>
public sealed class SessionTokens(MasterKey master)
{
    /// <summary>Lets secret scanners and people recognise a leaked token.</summary>
    const string RefreshPrefix = "rrt_";

    const int IdBytes = 16;
    const int PayloadBytes = IdBytes + 4;
    const int MacBytes = 32;

    readonly byte[] refreshKey = master.Derive("refresh tokens");
    readonly byte[] cookieKey = master.Derive("session cookies");
    readonly byte[] csrfKey = master.Derive("csrf tokens");

    public string Refresh(Guid session, int generation) => RefreshPrefix + Seal(refreshKey, session, generation);

    /// <summary>The session and generation of a refresh token; null if its MAC is wrong.</summary>
    public (Guid Session, int Generation)? ReadRefresh(string text) =>
        text.StartsWith(RefreshPrefix, StringComparison.Ordinal)
            ? Open(refreshKey, text.AsSpan(RefreshPrefix.Length))
            : null;

    public string Cookie(Guid session, int generation) => Seal(cookieKey, session, generation);

    /// <summary>The session and generation of a cookie; null if its MAC is wrong.</summary>
    public (Guid Session, int Generation)? ReadCookie(string text) => Open(cookieKey, text);

    /// <summary>The token that a page sends with every request that its session cookie authorises.</summary>
    public string Csrf(Guid session) => Base64Url.EncodeToString(HMACSHA256.HashData(csrfKey, session.ToByteArray()));

    /// <summary>Whether a CSRF token belongs to a session.</summary>
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
