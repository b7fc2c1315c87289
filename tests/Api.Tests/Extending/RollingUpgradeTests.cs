using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>
/// Two builds in one cluster: this one, and one with more kinds of events, endpoints, and a read model. Whatever the later
/// one writes, the other serves on.
/// </summary>
public sealed class RollingUpgradeTests(Backend backend) : IAsyncLifetime
{
    static readonly string Later = Path.Combine(AppContext.BaseDirectory, "Resources.Polls.dll");
    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);

    readonly List<ServerProcess> nodes = [];

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Only_what_needs_the_later_build_is_refused_by_the_earlier(bool earlierFirst)
    {
        var database = await backend.CreateDatabaseAsync();
        var cluster = $"{Guid.NewGuid():n}";
        foreach (var isLater in new[] { !earlierFirst, earlierFirst })
        {
            nodes.Add(
                isLater
                    ? ServerProcess.Start(Later, database, cluster, null, [])
                    : ServerProcess.Start(database, cluster)
            );
            await nodes[^1].ReadyAsync();
        }
        await AddPropertyAsync(database);
        var token = await nodes[0].SignInAsync();
        using var earlier = nodes[earlierFirst ? 0 : 1].Client(token);
        using var later = nodes[earlierFirst ? 1 : 0].Client(token);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var load = Task.WhenAll(LoadAsync(earlier, enough.Token), LoadAsync(later, enough.Token));

        for (var i = 0; i < 20; i++)
        {
            using var opened = await later.PostAsJsonAsync(
                "/api/v1/polls",
                new { question = $"Question {i}?", choices = new[] { "a", "b" } },
                Cancelled
            );
            Assert.Equal(HttpStatusCode.Created, opened.StatusCode);
            using var voted = await later.PostAsJsonAsync(
                $"{opened.Headers.Location}/votes",
                new { choice = "a" },
                Cancelled
            );
            Assert.Equal(HttpStatusCode.OK, voted.StatusCode);
        }
        Assert.Equal(HttpStatusCode.NotFound, (await earlier.GetAsync("/api/v1/polls", Cancelled)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await later.GetAsync("/api/v1/polls", Cancelled)).StatusCode);
        await IsRevokedAsync(earlier, later);
        foreach (var client in new[] { earlier, later })
            await Eventually.HoldsAsync(
                async () => await StatusAsync(client) is "ok",
                Plenty,
                () => string.Join("\n", nodes.Select(node => node.Log))
            );

        using var one = await earlier.PostAsJsonAsync("/api/v1/resources", new { name = "to be read" }, Cancelled);
        var created = one.Headers.Location;

        // Whoever keeps the read model of resources, and whichever build remains.
        await enough.CancelAsync();
        await load;
        await nodes[0].KillAsync();
        using var last = nodes[1].Client(token);
        await Eventually.HoldsAsync(
            async () => (await last.GetAsync("/api/v1/resources?limit=1", Cancelled)).IsSuccessStatusCode,
            Plenty,
            () => nodes[1].Log
        );
        await Eventually.HoldsAsync(
            async () => (await last.GetAsync(created, Cancelled)).IsSuccessStatusCode,
            Plenty,
            () => nodes[1].Log
        );
        Assert.Contains(
            "\"later\"",
            await last.GetStringAsync($"{created}/events", Cancelled),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(nodes[1].Lines, line => line.Contains("stands still", StringComparison.Ordinal));
    }

    /// <summary>A later build writes more into events of every kind: from now on each has another property.</summary>
    static async Task AddPropertyAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            """
            create function write_more() returns trigger language plpgsql as $$
            begin
                new.data := new.data || '{"later":{"of":[1]}}';
                return new;
            end $$;
            create trigger later before insert on mt_events for each row execute function write_more();
            """
        );
        await command.ExecuteNonQueryAsync(Cancelled);
    }

    /// <summary>Creates and lists until it is stopped; every response before that is a success.</summary>
    static async Task LoadAsync(HttpClient client, CancellationToken ct)
    {
        try
        {
            for (var i = 0; !ct.IsCancellationRequested; i++)
            {
                using var created = await client.PostAsJsonAsync("/api/v1/resources", new { name = $"load {i}" }, ct);
                using var list = await client.GetAsync("/api/v1/resources?limit=1", ct);
                if (ct.IsCancellationRequested)
                    return;
                Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (created.StatusCode, list.StatusCode));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or SocketException)
        {
            // The node was killed, or it is enough.
        }
    }

    /// <summary>An account that the later build disables is out on the earlier one within two seconds.</summary>
    static async Task IsRevokedAsync(HttpClient earlier, HttpClient later)
    {
        var person = new { email = $"{Guid.NewGuid():n}@example.org", password = "a password of enough length" };
        using var created = await later.PostAsJsonAsync("/api/v1/users", person, Cancelled);
        var id = (await created.Content.ReadFromJsonAsync<JsonElement>(Cancelled))
            .GetProperty("data")
            .GetProperty("id");
        using var login = await earlier.PostAsJsonAsync("/api/v1/auth/login", person, Cancelled);
        var token = (await login.Content.ReadFromJsonAsync<JsonElement>(Cancelled))
            .GetProperty("data")
            .GetProperty("accessToken")
            .GetString();
        using var guest = new HttpClient { BaseAddress = earlier.BaseAddress };
        guest.DefaultRequestHeaders.Authorization = new("Bearer", token);
        Assert.Equal(HttpStatusCode.OK, (await guest.GetAsync("/api/v1/me", Cancelled)).StatusCode);

        using var disabled = await later.PatchAsJsonAsync($"/api/v1/users/{id}", new { disabled = true }, Cancelled);

        Assert.True(disabled.IsSuccessStatusCode, $"{disabled.StatusCode}");
        await Eventually.HoldsAsync(
            async () => (await guest.GetAsync("/api/v1/me", Cancelled)).StatusCode is HttpStatusCode.Unauthorized,
            TimeSpan.FromSeconds(2)
        );
    }

    static async Task<string?> StatusAsync(HttpClient client)
    {
        using var answer = await client.GetAsync("/health", Cancelled);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled)).GetProperty("status").GetString();
    }
}
