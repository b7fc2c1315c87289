using System.Globalization;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Third-party clients of server-sent events.</summary>
[Trait("Conformance", "H6")]
public sealed class EventSourceClientTests(Backend backend, JavaScriptProgram node)
{
    [Fact]
    public async Task EventSource_clients_that_reconnect_often_see_every_event_once_and_in_order()
    {
        var type = $"t{Guid.NewGuid():n}";
        using var enough = new CancellationTokenSource();
        var writes = Task.Run(
            async () =>
            {
                for (var i = 0; i < 2_000 && !enough.IsCancellationRequested; i++)
                    await backend.Admin.SendAsync(
                        "POST",
                        "/api/v1/resources",
                        $$"""{"name":"größer {{i}} 🌍","type":"{{type}}"}"""
                    );
            },
            TestContext.Current.CancellationToken
        );
        var output = JsonDocument
            .Parse(
                await node.RunAsync(
                    "streams.mjs",
                    $"{backend.Server.Address}",
                    backend.User.Token!,
                    $"/api/v1/events?type={type}",
                    "60"
                )
            )
            .RootElement;
        await enough.CancelAsync();
        await writes;

        var stored = await backend.PositionsAsync(type);
        foreach (var client in new[] { "eventsource", "undici" })
        {
            var seen = output
                .GetProperty(client)
                .GetProperty("ids")
                .EnumerateArray()
                .Select(id => long.Parse(id.GetString()!, CultureInfo.InvariantCulture))
                .ToArray();
            Assert.Equal(stored.Take(seen.Length), seen);
            Assert.True(output.GetProperty(client).GetProperty("cuts").GetInt32() > 4, $"{output}");
        }
    }
}
