using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Resources.Api.Tests;

/// <summary>A node that ends TLS itself, beside an endpoint without it.</summary>
[Collection(Processes.Alone)]
public sealed class TlsTests(Backend backend)
{
    const string Request = "GET PATH HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    [Fact]
    [Trait("Conformance", "E4")]
    [Trait("Conformance", "E8")]
    public async Task Node_speaks_HTTP_1_alone_over_TLS_and_tells_browsers_to_stay_there()
    {
        using var directory = new TestDirectory();
        var (plainPort, port) = (FreePort.Find(), FreePort.Find());
        await using var node = ServerProcess.Start(
            await backend.CreateDatabaseAsync(),
            Guid.NewGuid().ToString("n"),
            new($"http://127.0.0.1:{plainPort}"),
            ("ASPNETCORE_URLS", $"http://127.0.0.1:{plainPort};https://127.0.0.1:{port}"),
            ("Kestrel:Certificates:Default:Path", WriteCertificate(directory))
        );
        await node.ReadyAsync();
        foreach (var path in new[] { "/health/live", "/api/v1/none" })
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
            await using var tls = new SslStream(client.GetStream(), false, (_, _, _, _) => true);
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "localhost",
                    ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                },
                TestContext.Current.CancellationToken
            );
            Assert.Equal(SslApplicationProtocol.Http11, tls.NegotiatedApplicationProtocol);
            await tls.WriteAsync(
                Encoding.ASCII.GetBytes(Request.Replace("PATH", path, StringComparison.Ordinal)),
                TestContext.Current.CancellationToken
            );
            using var reader = new StreamReader(tls);
            var answer = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Contains(
                "\r\nStrict-Transport-Security: max-age=31536000; includeSubDomains\r\n",
                answer,
                StringComparison.Ordinal
            );
        }
        var plain = await node.Guest().GetAsync("/health/live");
        Assert.Equal((200, null), (plain.Status, plain["Strict-Transport-Security"]));
    }

    [Fact]
    [Trait("Conformance", "E4")]
    public async Task HTTP_2_without_TLS_is_refused()
    {
        using var connection = await RawConnection.OpenAsync(backend.Server.Address);
        await connection.SendAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        await connection.ReadToEndAsync();
        Assert.DoesNotContain(connection.Statuses, status => status < 400);

        using var upgrade = await RawConnection.OpenAsync(backend.Server.Address);
        await upgrade.SendAsync(
            "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                + "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        );
        Assert.Equal(200, await upgrade.StatusAsync());
    }

    [Theory, InlineData("GET", "/api/v1/me"), InlineData("POST", "/api/v1/auth/login"), InlineData("GET", "/docs/")]
    [Trait("Conformance", "E9")]
    public async Task Request_without_TLS_is_never_redirected(string method, string path)
    {
        var answer = await backend.Admin.SendAsync(
            method,
            path,
            method is "POST" ? "{}" : null,
            headers: ("Upgrade-Insecure-Requests", "1")
        );
        Assert.True(answer.Status is 200 or 400, $"{answer}");
        Assert.Null(answer["Location"]);
    }

    static string WriteCertificate(TestDirectory directory)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            DateTimeOffset.UtcNow.AddDays(-1),
            DateTimeOffset.UtcNow.AddDays(1)
        );
        var path = Path.Combine(directory.Path, "node.pfx");
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pfx));
        return path;
    }
}
