using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>A server whose webhooks may reach this machine and are retried soon, for all tests of deliveries.</summary>
public sealed class SubscriptionBackend(Backend backend) : IAsyncLifetime
{
    public static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);

    internal InProcessServer Server { get; private set; } = null!;

    public ApiClient Admin { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await StartAsync(
            ("Webhooks:RetrySeconds", "0.3,0.3,0.3,0.3,0.3,0.3,0.3,0.3,600"),
            ("Webhooks:TimeoutSeconds", "3")
        );
        Admin = await Server.AdminAsync();
    }

    public async ValueTask DisposeAsync() => await Server.DisposeAsync();

    /// <summary>Another such server, with a database of its own.</summary>
    internal Task<InProcessServer> StartAsync(params (string Key, string Value)[] options) =>
        backend.StartServerAsync([("Webhooks:AllowPrivateTargets", "true"), .. options]);

    /// <summary>A type of resources that no other test uses.</summary>
    public static string FreshType() => $"t{Guid.NewGuid():n}";

    /// <summary>Creates a subscription. Returns its path and secret.</summary>
    public static async Task<(string Path, string? Secret)> SubscribeAsync(
        ApiClient caller,
        string type,
        Uri? target,
        string more = ""
    )
    {
        var delivery = target is null ? """{"kind":"pull"}""" : $$"""{"kind":"webhook","url":"{{target}}"}""";
        var made = await caller.SendAsync(
            "POST",
            "/api/v1/subscriptions",
            $$"""{"name":"{{Guid.NewGuid():n}}","filter":{"type":"{{type}}"},"delivery":{{delivery}}{{more}}}"""
        );
        Assert.True(made.Status is 201, made.ToString());
        return (made["Location"]!, made.Text("/data/secret"));
    }

    /// <summary>Creates a resource. Returns its id.</summary>
    public static async Task<string> CreateAsync(ApiClient caller, string type, string name = "sample")
    {
        var made = await caller.SendAsync("POST", "/api/v1/resources", $$"""{"name":"{{name}}","type":"{{type}}"}""");
        Assert.True(made.Status is 201, made.ToString());
        return made.Text("/data/id")!;
    }

    /// <summary>Renames a resource so many times.</summary>
    public static async Task RenameAsync(ApiClient caller, string resource, int times)
    {
        for (var i = 0; i < times; i++)
            Assert.Equal(
                200,
                (
                    await caller.SendAsync(
                        "PATCH",
                        $"/api/v1/resources/{resource}",
                        $$"""{"name":"{{Guid.NewGuid():n}}"}""",
                        "application/merge-patch+json"
                    )
                ).Status
            );
    }

    public static long Number(Answer answer, string pointer) =>
        long.Parse(answer.Text(pointer)!, CultureInfo.InvariantCulture);

    /// <summary>The members of a list in an answer's data.</summary>
    public static JsonElement[] Rows(Answer answer, string pointer = "/data") =>
        [.. answer.At(pointer)!.Value.EnumerateArray()];
}
