using System.Net;
using System.Net.Sockets;

namespace Resources.Silo;

/// <summary>
/// The ports of a node within the cluster, its own for as long as it lives. Orleans listens in a way that lets another
/// process have the same port, and counts a node that is found at the address of an older one as its successor. So each
/// port is also held as a datagram port, which only one process can have.
/// </summary>
sealed class NodePorts : IDisposable
{
    // An outgoing connection could take a port of the system's own range before Orleans listens at it.
    const int Lowest = 10_240;
    const int LowestOfSystem = 32_768;

    readonly Socket silo;
    readonly Socket gateway;

    NodePorts(Socket silo, Socket gateway)
    {
        this.silo = silo;
        this.gateway = gateway;
    }

    public int Silo => PortOf(silo);

    public int Gateway => PortOf(gateway);

    /// <summary>Takes the configured ports; for 0 the usual one if it is free, else any.</summary>
    /// <exception cref="ConfigurationException">Another program has a configured port.</exception>
    public static NodePorts Take(ClusterOptions cluster)
    {
        // Where an address is configured, others of this machine may have the same port.
        var address = cluster.AdvertisedAddress is { } given ? IPAddress.Parse(given) : IPAddress.Any;
        var silo = Take(address, cluster.SiloPort, 11111, "Cluster__SiloPort");
        try
        {
            return new(silo, Take(address, cluster.GatewayPort, 30000, "Cluster__GatewayPort"));
        }
        catch
        {
            silo.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        silo.Dispose();
        gateway.Dispose();
    }

    static Socket Take(IPAddress address, int configured, int usual, string option)
    {
        if (TryHold(address, configured is 0 ? usual : configured) is { } held)
            return held;
        if (configured is not 0)
            throw new ConfigurationException(
                $"Another program uses port {configured}. Set {option} to a free one, or to 0 for any."
            );
        for (var attempt = 0; attempt < 20; attempt++)
            if (TryHold(address, Random.Shared.Next(Lowest, LowestOfSystem)) is { } any)
                return any;
        throw new ConfigurationException($"No port is free at {address}. Set {option} to one.");
    }

    /// <summary>Holds a port if nobody listens there.</summary>
    static Socket? TryHold(IPAddress address, int port)
    {
        var held = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            held.Bind(new IPEndPoint(address, port));
            using var listener = new TcpListener(address, PortOf(held));
            listener.Start();
            return held;
        }
        catch (SocketException)
        {
            held.Dispose();
            return null;
        }
    }

    static int PortOf(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;
}
