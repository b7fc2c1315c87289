using System.Globalization;
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
        IEnumerable<IPAddress> addresses = IPAddress.TryParse(database.Host, out var ip)
            ? [ip]
            : Dns.GetHostAddresses(database.Host)
                .OrderBy(address => address.AddressFamily is not AddressFamily.InterNetwork);
        return addresses.Select(address => TowardsOrNull(address, database.Port)).FirstOrDefault(own => own is not null)
            ?? throw new StoreUnavailableException($"No address of {database.Host} can be reached from this machine.");
    }

    /// <summary>The own address by which another one is reached; null where there is no way to it.</summary>
    static IPAddress? TowardsOrNull(IPAddress address, int port)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            // Connecting a datagram socket sends nothing; it asks the routing table.
            socket.Connect(address, port);
            return ((IPEndPoint)socket.LocalEndPoint!).Address;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>Reads one host of a connection string, as the driver does.</summary>
    /// <param name="host">A name, a folder of sockets, or an address of either family, perhaps with a port.</param>
    /// <param name="port">The port of hosts that have none of their own.</param>
    public static (string Host, int Port) OfHost(string host, int port)
    {
        host = host.Trim();
        if (host.StartsWith('/'))
            return (host, port);
        if (IPEndPoint.TryParse(host, out var address))
            return (address.Address.ToString(), address.Port is 0 ? port : address.Port);
        return host.Split(':') is [var name, var own]
            ? (name, int.Parse(own, CultureInfo.InvariantCulture))
            : (host, port);
    }

    /// <summary>Asks whether the database is still that of the client's cluster.</summary>
    public static StoreProbe.Membership MembershipOfClient(IServiceProvider services)
    {
        var cluster = services
            .GetRequiredService<Microsoft.Extensions.Options.IOptions<Orleans.Configuration.ClusterOptions>>()
            .Value.ClusterId;
        return async (connection, ct) =>
        {
            await using var command = new NpgsqlCommand(
                "select not exists (select from database_cluster where cluster_id <> $1)",
                connection
            );
            command.Parameters.Add(Arg.Of(cluster));
            return await command.ExecuteScalarAsync(ct) is true;
        };
    }

    /// <summary>
    /// Asks the membership table whether this silo is in it and not dead. A node whose database another cluster has claimed
    /// ends.
    /// </summary>
    public static StoreProbe.Membership MembershipOf(IServiceProvider services)
    {
        var silo = services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        var cluster = services
            .GetRequiredService<Microsoft.Extensions.Options.IOptions<Orleans.Configuration.ClusterOptions>>()
            .Value.ClusterId;
        return async (connection, ct) =>
        {
            await using var command = new NpgsqlCommand(
                """
                select (select status from orleansmembershiptable where deploymentid = $1 and address = $2 and port = $3 and generation = $4),
                    (select cluster_id from database_cluster where cluster_id <> $1)
                """,
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
            await using var reader = await command.ExecuteReaderAsync(ct);
            await reader.ReadAsync(ct);
            if (reader.TextOrNull(1) is { } other)
                services
                    .GetRequiredService<IFatalErrorHandler>()
                    .OnFatalException(null, $"The cluster '{other}' has claimed the database.", null);
            return reader.IntOrNull(0) is { } status && (SiloStatus)status is not SiloStatus.Dead;
        };
    }
}
