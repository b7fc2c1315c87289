using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Resources.Silo;

/// <summary>
/// Who may connect to the ports of a node within the cluster: whoever has a certificate of the cluster; nobody, where the
/// database is the node's own; else everybody who reaches them.
/// </summary>
static class ClusterPorts
{
    /// <summary>Lets only members of the cluster connect, as far as the node can tell them.</summary>
    public static void GuardPorts(this ISiloBuilder silo, ClusterOptions cluster)
    {
        silo.Services.AddSingleton(_ => cluster.Tls).AddSingleton<ClusterTls>().AddHostedService<OpenPortsWarning>();
        silo.Services.AddOptions<SiloConnectionOptions>()
            .Configure<NodeDatabase, IServiceProvider>(
                (connections, database, services) =>
                {
                    if (database.IsEmbedded)
                    {
                        connections.ConfigureSiloInboundConnection(Close);
                        connections.ConfigureGatewayInboundConnection(Close);
                    }
                    else if (cluster.Tls.IsOn)
                    {
                        var tls = new TlsOptions();
                        services.GetRequiredService<ClusterTls>().Settle(tls);
                        connections.ConfigureSiloInboundConnection(connection => connection.UseServerTls(tls));
                        connections.ConfigureGatewayInboundConnection(connection => connection.UseServerTls(tls));
                        connections.ConfigureSiloOutboundConnection(connection => connection.UseClientTls(tls));
                    }
                }
            );
    }

    /// <summary>Presents the certificate of a process that has no grains to the nodes of its cluster.</summary>
    public static void UseClusterTls(this IClientBuilder client, ClusterOptions cluster)
    {
        if (!cluster.Tls.IsOn)
            return;
        client.Services.AddSingleton(_ => cluster.Tls).AddSingleton<ClusterTls>();
        client
            .Services.AddOptions<ClientConnectionOptions>()
            .Configure<ClusterTls>(
                (connections, certificate) =>
                {
                    var tls = new TlsOptions();
                    certificate.Settle(tls);
                    connections.ConfigureConnection(connection => connection.UseClientTls(tls));
                }
            );
    }

    /// <summary>No other process belongs to the cluster.</summary>
    static void Close(IConnectionBuilder connections) =>
        connections.Use(_ =>
            connection =>
            {
                connection.Abort();
                return Task.CompletedTask;
            }
        );
}

/// <summary>Says at the start that strangers can act as a node, where that is so.</summary>
sealed class OpenPortsWarning(
    ClusterOptions cluster,
    NodeDatabase database,
    ILocalSiloDetails silo,
    ILogger<OpenPortsWarning> log
) : IHostedService
{
    public Task StartAsync(CancellationToken ct)
    {
        if (IsOpen(silo.SiloAddress.Endpoint.Address, cluster.Tls.IsOn || database.IsEmbedded))
            log.LogWarning(
                "Whoever reaches the ports {Silo} and {Gateway} of {Address} can act as a node. "
                    + "Set Cluster__Tls__Certificate, __Key and __Authority, or keep the ports in a private network.",
                silo.SiloAddress.Endpoint.Port,
                silo.GatewayAddress?.Endpoint.Port,
                silo.SiloAddress.Endpoint.Address
            );
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken ct) => Task.CompletedTask;

    /// <summary>Whether other machines can reach ports at the address that let everybody in.</summary>
    internal static bool IsOpen(IPAddress address, bool guarded) => !guarded && !IPAddress.IsLoopback(address);
}
