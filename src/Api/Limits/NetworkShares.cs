using System.Net;
using System.Net.Sockets;

namespace Resources.Api;

/// <summary>
/// What a node has of something, and what one network may take of it at a time. Networks are counted in cells that few of
/// them have in common, so that counting takes neither a lock nor memory.
/// </summary>
/// <param name="total">What there is for all.</param>
/// <param name="share">What one network may take.</param>
/// <param name="isNeighbourhood">
/// Whether a network is a /24 of IPv4 or a /48 of IPv6, and not an address of IPv4 or a /64 of IPv6.
/// </param>
public sealed class NetworkShares(long total, long share, bool isNeighbourhood = false)
{
    const int Cells = 1 << 14;

    readonly long[] cells = new long[Cells];
    long all;

    /// <summary>Takes so much for an address; false if its network or the node would have more than it may.</summary>
    public bool TryTake(IPAddress? address, long amount = 1)
    {
        ref var cell = ref cells[CellOf(address)];
        if (Interlocked.Add(ref cell, amount) <= share)
        {
            if (Interlocked.Add(ref all, amount) <= total)
                return true;
            Interlocked.Add(ref all, -amount);
        }
        Interlocked.Add(ref cell, -amount);
        return false;
    }

    /// <summary>Gives back what was taken.</summary>
    public void Return(IPAddress? address, long amount = 1)
    {
        Interlocked.Add(ref cells[CellOf(address)], -amount);
        Interlocked.Add(ref all, -amount);
    }

    int CellOf(IPAddress? address)
    {
        if (address is null)
            return 0;
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        var length =
            address.AddressFamily is AddressFamily.InterNetwork
                ? isNeighbourhood
                    ? 3
                    : 4
                : isNeighbourhood
                    ? 6
                    : 8;
        // Its seed differs from process to process, so that nobody can choose addresses that meet in a cell.
        var hash = new HashCode();
        hash.AddBytes(bytes[..length]);
        return hash.ToHashCode() & (Cells - 1);
    }
}

/// <summary>
/// Shares of addresses, and of neighbourhoods: whoever owns many addresses has no more than a neighbourhood for them.
/// </summary>
/// <param name="total">What there is for all.</param>
/// <param name="ofAddress">What an address of IPv4, or a /64 of IPv6, may take.</param>
/// <param name="ofNeighbourhood">What a /24 of IPv4, or a /48 of IPv6, may take.</param>
public sealed class AddressShares(long total, long ofAddress, long ofNeighbourhood)
{
    readonly NetworkShares addresses = new(total, ofAddress);
    readonly NetworkShares neighbourhoods = new(long.MaxValue, ofNeighbourhood, isNeighbourhood: true);

    /// <inheritdoc cref="NetworkShares.TryTake"/>
    public bool TryTake(IPAddress? address, long amount = 1)
    {
        if (!addresses.TryTake(address, amount))
            return false;
        if (neighbourhoods.TryTake(address, amount))
            return true;
        addresses.Return(address, amount);
        return false;
    }

    /// <inheritdoc cref="NetworkShares.Return"/>
    public void Return(IPAddress? address, long amount = 1)
    {
        addresses.Return(address, amount);
        neighbourhoods.Return(address, amount);
    }
}
