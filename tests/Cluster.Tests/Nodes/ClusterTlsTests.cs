using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Orleans.Runtime;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>The ports of a node within the cluster.</summary>
public sealed class ClusterTlsTests(LogDatabase database) : IClassFixture<LogDatabase>, IDisposable
{
    readonly Authority authority = new();

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => authority.Dispose();

    [Fact]
    [Trait("Conformance", "J7")]
    public async Task Only_those_with_a_certificate_of_the_authority_get_in()
    {
        using var member = authority.Issue();
        using var stranger = new Authority();
        using var forged = stranger.Issue();
        await using var one = await InProcessSilo.StartAsync(database, "tls", authority.Options);
        await using var other = await InProcessSilo.StartAsync(database, "tls", authority.Options);

        var management = one.Service<IGrainFactory>().GetGrain<IManagementGrain>(0);
        await Eventually.HoldsAsync(
            async () => (await management.GetHosts(onlyActive: true)).Count is 2,
            TimeSpan.FromSeconds(20),
            () => "both nodes are members"
        );
        // Half of these live on the other node.
        for (var i = 0; i < 20; i++)
            Assert.Equal(0, (await one.Resource(Guid.NewGuid()).Get()).Version);

        var silo = one.Service<ILocalSiloDetails>();
        foreach (var port in (int[])[silo.SiloAddress.Endpoint.Port, silo.GatewayAddress.Endpoint.Port])
        {
            using var open = await ConnectAsync(port, member);
            var received = ReceiveAsync(open);
            foreach (var certificate in (X509Certificate2?[])[null, forged])
            {
                using var refused = await ConnectAsync(port, certificate);
                Assert.Equal(0, await ReceiveAsync(refused));
            }
            Assert.Equal(0, await SpeakPlainlyAsync(port));
            Assert.False(received is { IsCompleted: true, Result: 0 }, "The member's connection has ended, too.");
        }
    }

    [Fact]
    public async Task Renewed_certificate_is_presented_without_a_restart()
    {
        using var first = authority.Issue();
        await using var node = await InProcessSilo.StartAsync(database, "renewed", authority.Options);
        var port = node.Service<ILocalSiloDetails>().SiloAddress.Endpoint.Port;
        using (var connection = await ConnectAsync(port, first))
            Assert.Equal(first.SerialNumber, connection.RemoteCertificate!.GetSerialNumberString());

        using var second = authority.Issue();
        await node.PassAsync(TimeSpan.FromMinutes(1));

        using (var connection = await ConnectAsync(port, first))
            Assert.Equal(second.SerialNumber, connection.RemoteCertificate!.GetSerialNumberString());
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData("Key", "Set all three, or none.")]
    [InlineData("Authority", "Set all three, or none.")]
    public void Files_are_checked_at_the_start(string? missing, string? fault)
    {
        using var certificate = authority.Issue();
        Assert.Equal(fault, Fault(option => option == missing ? null : authority.FileOf(option.ToLowerInvariant())));
    }

    [Fact]
    public void Certificate_that_proves_nothing_is_refused_at_the_start()
    {
        using var stranger = new Authority();
        using var own = authority.Issue();
        using var forged = stranger.Issue();
        Assert.NotNull(
            Fault(option => (option is "Authority" ? authority : stranger).FileOf(option.ToLowerInvariant()))
        );
        Assert.NotNull(Fault(option => (option is "Key" ? stranger : authority).FileOf(option.ToLowerInvariant())));
        Assert.NotNull(Fault(option => authority.FileOf(option.ToLowerInvariant()) + (option is "Key" ? ".none" : "")));
        using var expired = authority.Issue(days: 0);
        Assert.NotNull(Fault(option => authority.FileOf(option.ToLowerInvariant())));
    }

    static string? Fault(Func<string, string?> file)
    {
        var options = new ClusterTlsOptions
        {
            Certificate = file("Certificate"),
            Key = file("Key"),
            Authority = file("Authority"),
        };
        return options.Validate(new(options)).SingleOrDefault()?.ErrorMessage;
    }

    /// <summary>Completes a handshake. The server looks at the certificate of the client after that.</summary>
    static async Task<SslStream> ConnectAsync(int port, X509Certificate2? certificate)
    {
        var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port, Cancelled);
            var stream = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "cluster",
                    ClientCertificates = certificate is null ? null : [certificate],
                    ApplicationProtocols = [new("Orleans1")],
                },
                Cancelled
            );
            return stream;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the node sends something, or ends the connection.</summary>
    /// <returns>1 if it sent something, else 0.</returns>
    static async Task<int> ReceiveAsync(Stream stream)
    {
        try
        {
            return await stream
                .ReadAsync(new byte[1], Cancelled)
                .AsTask()
                .WaitAsync(TimeSpan.FromSeconds(20), Cancelled);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Sends something that is not TLS and waits for the end of the connection.</summary>
    /// <returns>How many bytes of an answer came that is not TLS's.</returns>
    static async Task<int> SpeakPlainlyAsync(int port)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port, Cancelled);
        var stream = client.GetStream();
        await stream.WriteAsync(new byte[64], Cancelled);
        var answer = new byte[1_024];
        const byte alert = 21;
        try
        {
            var length = await stream.ReadAsync(answer, Cancelled);
            return answer[0] is alert ? 0 : length;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
