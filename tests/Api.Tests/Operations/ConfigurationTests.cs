namespace Resources.Api.Tests;

/// <summary>Starts with a wrong configuration fail with all errors in one message, and no stack trace.</summary>
public sealed class ConfigurationTests
{
    [Fact]
    [Trait("Conformance", "J5")]
    public async Task Production_does_not_start_without_a_master_key()
    {
        var (code, output) = await RunAsync([]);
        Assert.NotEqual(0, code);
        Assert.Contains("Secrets:MasterKey", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Conformance", "J5")]
    public async Task One_message_lists_every_configuration_error()
    {
        var (code, output) = await RunAsync(
            new()
            {
                ["Secrets:MasterKey"] = "short",
                ["Tokens:AccessMinutes"] = "0",
                ["Bootstrap:AdminPassword"] = "too short",
                ["Cluster:Role"] = "king",
                ["Cluster:SiloPort"] = "70000",
                ["RateLimits:Default:Permits"] = "0",
                ["Database:MaxPoolSize"] = "1",
                ["Shutdown:Unknown"] = "1",
                ["Cluster:ClusterId"] = "no spaces",
                ["Subscriptions:MaxPerOwner"] = "0",
                ["Webhooks:RetrySeconds"] = "5,soon",
                ["Webhooks:AllowedNetworks"] = "everywhere",
                ["Webhooks:TimeoutSeconds"] = "61",
                ["Origins:Allowed:0"] = "https://app.example.org/",
                ["Origins:Allowed:1"] = "https://b\u00fccher.example",
                ["Tokens:Issuer"] = "https://id.example.org",
                ["Identity:Issuers:0:Issuer"] = "https://id.example.org",
                ["Identity:Issuers:0:Audience"] = "here",
            }
        );
        Assert.NotEqual(0, code);
        foreach (
            var option in new[]
            {
                "Secrets:MasterKey",
                "Tokens:AccessMinutes",
                "Bootstrap:AdminPassword",
                "Cluster:",
                "RateLimits:Default:Permits",
                "Database:MaxPoolSize",
                "Unknown",
                "Subscriptions:MaxPerOwner",
                "Webhooks:RetrySeconds",
                "Webhooks:AllowedNetworks",
                "Webhooks:TimeoutSeconds",
                "Identity:Issuers: Tokens:Issuer",
                "'https://app.example.org/' is no origin",
                "'https://b\u00fccher.example' is no origin",
            }
        )
            Assert.Contains(option, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    /// <summary>Runs the program to its end. One that gets as far as the database fails there.</summary>
    static Task<(int ExitCode, string Output)> RunAsync(Dictionary<string, string> options) =>
        ServerProcess.RunAsync(new(options) { ["ConnectionStrings:Resources"] = "Host=127.0.0.1;Port=1;Timeout=1" });
}
