using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Configurations that cannot work: each ends the start with one line, before anything is made.</summary>
public sealed class ConfiguredStartTests(Backend backend)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [Trait("Conformance", "A3")]
    [InlineData("ASPNETCORE_URLS", "https://127.0.0.1:0", "https://127.0.0.1:0 needs a certificate.")]
    [InlineData("ASPNETCORE_URLS", "http//x", "ASPNETCORE_URLS: 'http//x' is not an address")]
    [InlineData("Cluster:AdvertisedAddress", "here", "Cluster:AdvertisedAddress: is not an IP address.")]
    [InlineData("Cluster:AdvertisedAddress", "203.0.113.5", "203.0.113.5 is not an address of this machine.")]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT", "::", "OTEL_EXPORTER_OTLP_ENDPOINT: is not a URL")]
    [InlineData("Secrets:MasterKey", "", "Secrets:MasterKey")]
    [InlineData("Bootstrap:AdminPassword", "short", "Bootstrap:AdminPassword: takes 15 to 128 characters.")]
    [InlineData("Bootstrap:AdminPassword", "passwordpassword", "Bootstrap:AdminPassword: is too easy to guess.")]
    [InlineData("Bootstrap:AdminPassword", "admin@example.org", "Bootstrap:AdminPassword: is too easy to guess.")]
    public async Task Fault_is_named_before_anything_is_made(string option, string value, string expected)
    {
        var database = await backend.CreateDatabaseAsync();
        var (code, output) = await RunAsync(database, (option, value));

        Assert.Equal(1, code);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        Assert.InRange(output.Trim().Split('\n').Length, 1, 2);
        Assert.Equal(0L, await CountAsync(database));
    }

    /// <summary>Orleans would let it listen there too, and have the first node declared dead.</summary>
    [Theory, InlineData("Cluster:SiloPort"), InlineData("Cluster:GatewayPort")]
    public async Task Port_of_another_node_is_refused(string option)
    {
        var database = await backend.CreateDatabaseAsync();
        var port = FreePort.Find();
        await using var node = await ServerProcess.StartReadyAsync(
            await backend.CreateDatabaseAsync(),
            $"{Guid.NewGuid():n}",
            (option, $"{port}")
        );

        var (code, output) = await RunAsync(database, (option, $"{port}"));

        Assert.Equal(1, code);
        Assert.Contains($"Another program uses port {port}.", output, StringComparison.Ordinal);
        Assert.Equal(0L, await CountAsync(database));
    }

    [Fact]
    public async Task Master_key_of_another_database_is_refused_in_one_line()
    {
        var database = await backend.CreateDatabaseAsync();
        await using (await ServerProcess.StartReadyAsync(database, "keys")) { }

        var (code, output) = await RunAsync(
            database,
            ("Cluster:ClusterId", "keys"),
            ("Secrets:MasterKey", Convert.ToBase64String(Enumerable.Repeat((byte)9, 32).ToArray()))
        );

        Assert.Equal(1, code);
        Assert.Equal(
            "Secrets:MasterKey is not the key with which this database's secrets were encrypted.",
            output.Trim()
        );
    }

    static Task<(int Code, string Output)> RunAsync(string database, params (string, string)[] options) =>
        ServerProcess.RunAsync(TestServer.Configure(database, [("ASPNETCORE_URLS", "http://127.0.0.1:0"), .. options]));

    static async Task<long> CountAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var tables = source.CreateCommand("select count(*) from pg_tables where schemaname = 'public'");
        return (long)(await tables.ExecuteScalarAsync(Cancelled))!;
    }
}
