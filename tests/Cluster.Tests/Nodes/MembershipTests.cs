using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Resources.Cluster.Tests;

/// <summary>Real silos that find each other through the membership tables.</summary>
public sealed class MembershipTests(OrleansTables tables) : IClassFixture<OrleansTables>
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_silos_join_and_a_stopped_one_leaves()
    {
        using var first = BuildSilo();
        using var second = BuildSilo();
        await first.StartAsync(Cancelled);
        await second.StartAsync(Cancelled);

        await ActiveSilosAsync(first, 2);
        await ActiveSilosAsync(second, 2);
        Assert.Equal(
            2,
            (await tables.QueryAsync("GatewaysQueryKey", new { DeploymentId = "membership", Status = 3 })).Count
        );

        await second.StopAsync(Cancelled);

        await ActiveSilosAsync(first, 1);
        var rows = await tables.QueryAsync("MembershipReadAllKey", new { DeploymentId = "membership" });
        Assert.Equal([(int)SiloStatus.Active, (int)SiloStatus.Dead], rows.Select(row => (int)row["status"]!).Order());
        await first.StopAsync(Cancelled);
    }

    IHost BuildSilo()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.UseOrleans(silo =>
            silo.UseAdoNetClustering(options =>
                {
                    options.Invariant = "Npgsql";
                    options.ConnectionString = tables.ConnectionString;
                })
                .UseAdoNetReminderService(options =>
                {
                    options.Invariant = "Npgsql";
                    options.ConnectionString = tables.ConnectionString;
                })
                .AddAdoNetGrainStorage("PubSubStore", options =>
                {
                    options.Invariant = "Npgsql";
                    options.ConnectionString = tables.ConnectionString;
                })
                .Configure<ClusterOptions>(options =>
                {
                    options.ClusterId = "membership";
                    options.ServiceId = "membership";
                })
                .ConfigureEndpoints(IPAddress.Loopback, FreePort.Find(), FreePort.Find())
        );
        return builder.Build();
    }

    static async Task ActiveSilosAsync(IHost silo, int expected)
    {
        var management = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0);
        for (
            var watch = Stopwatch.StartNew();
            (await management.GetHosts(onlyActive: true)).Count != expected;
            await Task.Delay(100, Cancelled)
        )
            Assert.True(
                watch.Elapsed < TimeSpan.FromSeconds(30),
                $"There are not {expected} active silos after {watch.Elapsed}."
            );
    }
}
