using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A browser in which an account has signed in.</summary>
/// <param name="Id">Names the browser in counts.</param>
/// <param name="Since">What <see cref="Account.SessionsEnded"/> was then.</param>
public readonly record struct Device(Guid Account, Guid Id, long Since)
{
    /// <summary>Whether an account still knows it: nothing has ended the account's sessions, as a new password does.</summary>
    public bool IsKnownTo(Guid id, Account account) => Account == id && Since == account.SessionsEnded;
}

/// <summary>
/// The cookie of a browser that has signed in before. It opens nothing: wrong passwords from there count by themselves,
/// so that nobody who guesses elsewhere keeps the owner out. A hash that is only renewed leaves it as it is.
/// </summary>
public sealed class DeviceCookie(MasterKey master)
{
    public const string Name = "__Host-device";

    const int PayloadBytes = 16 + 16 + 8;
    const int MacBytes = 32;

    /// <summary>Browsers keep no cookie longer.</summary>
    static readonly TimeSpan Lifetime = TimeSpan.FromDays(400);

    readonly byte[] key = master.Derive("device cookies");

    /// <summary>The browser that a request's cookie names; null without one, or when its MAC is wrong.</summary>
    public Device? Read(HttpRequest request)
    {
        Span<byte> bytes = stackalloc byte[PayloadBytes + MacBytes];
        if (
            HostCookie.Read(request, Name) is not { } text
            || text.Length != Base64Url.GetEncodedLength(bytes.Length)
            || Base64Url.DecodeFromChars(text, bytes, out _, out var written) is not OperationStatus.Done
            || written != bytes.Length
        )
            return null;
        Span<byte> mac = stackalloc byte[MacBytes];
        HMACSHA256.HashData(key, bytes[..PayloadBytes], mac);
        return CryptographicOperations.FixedTimeEquals(mac, bytes[PayloadBytes..])
            ? new(new(bytes[..16]), new(bytes[16..32]), BinaryPrimitives.ReadInt64BigEndian(bytes[32..]))
            : null;
    }

    /// <summary>Makes the browser of a request known to an account that is signed in there.</summary>
    public void Set(HttpContext context, Guid id, Account account)
    {
        // The browser keeps its name, and so its count.
        var name = Read(context.Request) is { } before && before.Account == id ? before.Id : Guid.CreateVersion7();
        Span<byte> bytes = stackalloc byte[PayloadBytes + MacBytes];
        id.TryWriteBytes(bytes);
        name.TryWriteBytes(bytes[16..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes[32..], account.SessionsEnded);
        HMACSHA256.HashData(key, bytes[..PayloadBytes], bytes[PayloadBytes..]);
        HostCookie.Set(context.Response, Name, Base64Url.EncodeToString(bytes), Lifetime);
    }
}
