using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Configuration;
using Orleans.Runtime;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>Where a node is found, and whether the cluster still counts it in.</summary>
static class NodeAddress
{
    /// <summary>
    /// The configured address, else the one from which this machine reaches the database: other nodes reach that too.
    /// </summary>
    public static IPAddress Advertised(string? configured, (string Host, int Port) database)
    {
        if (configured is not null)
            return IPAddress.Parse(configured);
        if (database.Host.StartsWith('/') || database.Host is "localhost")
            return IPAddress.Loopback;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        // Connecting a datagram socket sends nothing; it asks the routing table.
        socket.Connect(database.Host, database.Port);
        return ((IPEndPoint)socket.LocalEndPoint!).Address;
    }

    /// <summary>The configured port; for 0 the usual one if it is free, else any.</summary>
    public static int Port(int configured, int usual)
    {
        if (configured is not 0)
            return configured;
        try
        {
            return Listen(usual);
        }
        catch (SocketException)
        {
            return Listen(0);
        }
    }

    /// <summary>Asks the membership table whether this silo is in it and not dead.</summary>
    public static StoreProbe.Membership MembershipOf(IServiceProvider services)
    {
        var silo = services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        var cluster = services
            .GetRequiredService<Microsoft.Extensions.Options.IOptions<Orleans.Configuration.ClusterOptions>>()
            .Value.ClusterId;
        return async (connection, ct) =>
        {
            await using var command = new NpgsqlCommand(
                "select status from orleansmembershiptable where deploymentid = $1 and address = $2 and port = $3 and generation = $4",
                connection
            )
            {
                Parameters =
                {
                    Arg.Of(cluster),
                    Arg.Of(silo.Endpoint.Address.ToString()),
                    Arg.Of(silo.Endpoint.Port),
                    Arg.Of(silo.Generation),
                },
            };
            return await command.ExecuteScalarAsync(ct) is int status && (SiloStatus)status is not SiloStatus.Dead;
        };
    }

    static int Listen(int port)
    {
        using var listener = new TcpListener(IPAddress.Any, port);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
