using System.Diagnostics;

namespace Resources.Api.Tests;

/// <summary>Starts of the program that must fail: with all faults in one message, and no stack trace.</summary>
public sealed class ConfigurationTests
{
    static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Resources.Api.dll");

    [Fact]
    public async Task J5_Without_a_master_key_production_does_not_start()
    {
        var (code, output) = await RunAsync([]);
        Assert.NotEqual(0, code);
        Assert.Contains("Secrets:MasterKey", output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task J5_Every_fault_of_the_configuration_is_in_one_message()
    {
        var (code, output) = await RunAsync(
            new()
            {
                ["Secrets__MasterKey"] = "short",
                ["Tokens__AccessMinutes"] = "0",
                ["Bootstrap__AdminPassword"] = "too short",
                ["Cluster__Role"] = "king",
                ["Cluster__SiloPort"] = "70000",
                ["RateLimits__Default__Permits"] = "0",
                ["Database__MaxPoolSize"] = "1",
                ["Shutdown__Unknown"] = "1",
                ["Cluster__ClusterId"] = "no spaces",
                ["Subscriptions__MaxPerOwner"] = "0",
                ["Webhooks__RetrySeconds"] = "5,soon",
                ["Webhooks__AllowedNetworks"] = "everywhere",
                ["Webhooks__TimeoutSeconds"] = "61",
                ["Origins__Allowed__0"] = "https://app.example.org/",
                ["Origins__Allowed__1"] = "https://b\u00fccher.example",
                ["Tokens__Issuer"] = "https://id.example.org",
                ["Identity__Issuers__0__Issuer"] = "https://id.example.org",
                ["Identity__Issuers__0__Audience"] = "here",
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

    static async Task<(int Code, string Output)> RunAsync(Dictionary<string, string> options)
    {
        var start = new ProcessStartInfo("dotnet", [Program])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        // Nothing may be started here, not even a database: a start that gets so far fails on this one.
        start.Environment["ConnectionStrings__Resources"] = "Host=127.0.0.1;Port=1;Timeout=1";
        foreach (var (key, value) in options)
            start.Environment[key] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }
}
