using System.Net;
using Microsoft.AspNetCore.Connections;
using IPNetwork = System.Net.IPNetwork;

namespace Resources.Api;

/// <summary>
/// Connections, by address, neighbourhood and node. One beyond a bound is closed before anything of it is read. The
/// balancers that are trusted carry the connections of others, and are not counted: nobody takes theirs.
/// </summary>
public sealed class Connections(OverloadOptions options, ProxyOptions proxies)
{
    readonly AddressShares open = new(
        options.MaxConnections,
        options.MaxConnectionsPerAddress,
        Math.Max(options.MaxConnectionsPerAddress, options.MaxConnectionsPerNeighbourhood)
    );

    readonly IPNetwork[] trusted = [.. proxies.Trusted.Select(network => IPNetwork.Parse(network))];

    /// <summary>Middleware of the listener, before TLS and HTTP.</summary>
    public ConnectionDelegate Bound(ConnectionDelegate next) =>
        connection =>
            connection.RemoteEndPoint is IPEndPoint { Address: var address } && !IsTrusted(address)
                ? CountAsync(connection, address, next)
                : next(connection);

    async Task CountAsync(ConnectionContext connection, IPAddress address, ConnectionDelegate next)
    {
        if (!open.TryTake(address))
        {
            connection.Abort();
            return;
        }
        try
        {
            await next(connection);
        }
        finally
        {
            open.Return(address);
        }
    }

    bool IsTrusted(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Array.Exists(trusted, network => network.Contains(plain));
    }
}
