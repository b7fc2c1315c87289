namespace Resources.Api.Tests;

/// <summary>Clients of a server.</summary>
static class TestServerClients
{
    /// <summary>A client without a token.</summary>
    public static ApiClient Guest(this TestServer server) => new(server.Address);

    /// <summary>The administrator, signed in.</summary>
    public static Task<ApiClient> AdminAsync(this TestServer server) => server.Guest().LoginAsAdminAsync();
}
