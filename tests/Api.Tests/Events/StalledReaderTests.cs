using Microsoft.Extensions.DependencyInjection;
using Resources.Silo;

namespace Resources.Api.Tests;

/// <summary>Apart from the other tests of sockets, because it takes up to 40 seconds.</summary>
[Trait("Conformance", "H4")]
public sealed class StalledReaderTests(Backend backend)
{
    [Fact]
    public async Task Reader_that_reads_nothing_is_disconnected()
    {
        await using var node = await backend.StartServerAsync();
        var admin = await node.AdminAsync();
        var streams = node.Services.GetRequiredService<StreamAccess>();
        await using var stopped = await Socket.OpenAsync(node.Address, admin.Token, "");
        await stopped.CatchUpAsync();
        var body = """{"name":"large","metadata":{"text":"TEXT"}}""".Replace(
            "TEXT",
            new string('x', 500_000),
            StringComparison.Ordinal
        );
        for (var i = 0; i < 40; i++)
            await admin.SendAsync("POST", "/api/v1/resources", body);
        Assert.Equal(1, streams.Count);

        await Eventually.HoldsAsync(() => streams.Count is 0, TimeSpan.FromSeconds(40), () => "the socket is closed");
    }
}
