using System.Text.Json;
using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>
/// A caller whose role allows everything with one type, only their own resources of another, and nothing of a third.
/// </summary>
public abstract class LimitedCaller(Backend backend) : IAsyncLifetime
{
    protected Backend Backend => backend;

    /// <summary>The three types, which no other test uses.</summary>
    protected (string Seen, string Own, string Hidden) Types { get; } = (FreshType(), FreshType(), FreshType());

    protected ApiClient Caller { get; private set; } = null!;

    internal Person Person { get; private set; } = null!;

    /// <summary>The name of the role.</summary>
    protected string Role { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Role = await backend.CreateRoleAsync(
            $"resource/{Types.Seen}:*",
            $"resource/{Types.Own}:create",
            $"resource/{Types.Own}:*:own",
            "subscription:*:own"
        );
        Person = await backend.CreatePersonAsync(Role);
        Caller = (await Person.LoginAsync()).Caller;
    }

    public ValueTask DisposeAsync() => default;

    /// <summary>Replaces the permissions of the role.</summary>
    protected async Task AllowAsync(params string[] permissions) =>
        Assert.Equal(
            200,
            (
                await backend.Admin.SendAsync(
                    "PUT",
                    $"/api/v1/roles/{Role}",
                    JsonSerializer.Serialize(new { permissions })
                )
            ).Status
        );
}
