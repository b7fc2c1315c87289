using System.Net;
using System.Net.Sockets;

namespace Resources.Api;

/// <summary>The networks that a client's address belongs to, as texts to count by.</summary>
public static class Networks
{
    /// <summary>A client of IPv6 may own all of these, and each holds more of the narrower ones.</summary>
    public static readonly int[] Wider = [56, 48];

    /// <summary>What a client surely owns: an address of IPv4, or a /64 of IPv6. Empty without an address.</summary>
    public static string Of(IPAddress? address) =>
        Plain(address) is not { } plain ? ""
        : IsSix(plain) ? Prefix(plain, 64)
        : plain.ToString();

    /// <summary>What one owner mostly has: a /24 of IPv4, or a /48 of IPv6. Empty without an address.</summary>
    public static string Neighbourhood(IPAddress? address) =>
        Plain(address) is not { } plain ? ""
        : IsSix(plain) ? Prefix(plain, 48)
        : Prefix(plain, 24);

    /// <summary>A wider network of an address of IPv6; null for other addresses.</summary>
    /// <param name="bits">The length of its prefix, in whole bytes.</param>
    public static string? OfSix(IPAddress? address, int bits) =>
        Plain(address) is { } plain && IsSix(plain) ? Prefix(plain, bits) : null;

    /// <summary>An address of IPv4 is the same in its other form.</summary>
    static IPAddress? Plain(IPAddress? address) =>
        address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address;

    static bool IsSix(IPAddress address) => address.AddressFamily is AddressFamily.InterNetworkV6;

    static string Prefix(IPAddress address, int bits) =>
        Convert.ToHexString(address.GetAddressBytes().AsSpan(0, bits / 8));
}
