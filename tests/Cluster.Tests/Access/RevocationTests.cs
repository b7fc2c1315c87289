using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace Resources.Cluster.Tests;

/// <summary>Revocation across the nodes of a cluster.</summary>
[Collection(Processes.Alone)]
public sealed class RevocationTests(ThreeNodes cluster) : IClassFixture<ThreeNodes>
{
    const string Password = "a password of enough length";

    readonly IReadOnlyList<ServerProcess> nodes = cluster.Nodes;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Conformance", "H2")]
    public async Task Lost_role_ends_streams_on_every_node_within_a_second()
    {
        using var admin = nodes[0].Client(await nodes[0].SignInAsync());
        var email = $"{Guid.NewGuid():n}@example.org";
        var account = await DataAsync(
            admin.PostAsJsonAsync(
                "/api/v1/users",
                new
                {
                    email,
                    password = Password,
                    roles = new[] { "user" },
                },
                Cancelled
            )
        );
        var token = (
            await DataAsync(admin.PostAsJsonAsync("/api/v1/auth/login", new { email, password = Password }, Cancelled))
        )
            .GetProperty("accessToken")
            .GetString()!;
        var streams = await Task.WhenAll(nodes.Select(node => OpenAsync(node, token)));

        await DataAsync(
            admin.PutAsJsonAsync(
                $"/api/v1/users/{account.GetProperty("id").GetString()}/roles",
                new { roles = Array.Empty<string>() },
                Cancelled
            )
        );
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(
            streams.Select(async items =>
            {
                while (await items.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancelled))
                    if (items.Current.EventType is "end")
                        return;
                Assert.Fail("The stream has ended without saying why.");
            })
        );
        TestContext.Current.SendDiagnosticMessage($"three streams ended after {watch.Elapsed.TotalMilliseconds:F0} ms");
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1), $"The last stream ended after {watch.Elapsed}.");
    }

    /// <summary>Each node refuses a revoked credential and ends its streams.</summary>
    [
        Theory,
        InlineData("logout"),
        InlineData("disable"),
        InlineData("role"),
        InlineData("key"),
        InlineData("password")
    ]
    [Trait("Conformance", "B9")]
    [Trait("Conformance", "H2")]
    public async Task Revocation_takes_effect_on_every_node_within_a_second(string what)
    {
        using var admin = nodes[0].Client(await nodes[0].SignInAsync());
        var email = $"{Guid.NewGuid():n}@example.org";
        var account = (
            await DataAsync(
                admin.PostAsJsonAsync(
                    "/api/v1/users",
                    new
                    {
                        email,
                        password = Password,
                        roles = new[] { "user" },
                    },
                    Cancelled
                )
            )
        ).GetProperty("id").GetString();
        var token = (
            await DataAsync(admin.PostAsJsonAsync("/api/v1/auth/login", new { email, password = Password }, Cancelled))
        )
            .GetProperty("accessToken")
            .GetString()!;
        using var owner = nodes[1].Client(token);
        var credential = token;
        var key = (string?)null;
        if (what is "key")
        {
            var made = await DataAsync(
                owner.PostAsJsonAsync(
                    "/api/v1/api-keys",
                    new { name = "k", permissions = new[] { "resource:read" } },
                    Cancelled
                )
            );
            credential = made.GetProperty("key").GetString()!;
            key = made.GetProperty("id").GetString();
        }
        var streams = await Task.WhenAll(nodes.Select(node => OpenAsync(node, credential)));
        var other = (
            await DataAsync(admin.PostAsJsonAsync("/api/v1/auth/login", new { email, password = Password }, Cancelled))
        )
            .GetProperty("accessToken")
            .GetString()!;
        using var elsewhere = nodes[2].Client(other);

        using var done = await (
            what switch
            {
                "logout" => owner.PostAsync("/api/v1/auth/logout", null, Cancelled),
                "disable" => admin.PatchAsJsonAsync($"/api/v1/users/{account}", new { disabled = true }, Cancelled),
                "role" => admin.PutAsJsonAsync(
                    $"/api/v1/users/{account}/roles",
                    new { roles = Array.Empty<string>() },
                    Cancelled
                ),
                "key" => owner.DeleteAsync($"/api/v1/api-keys/{key}", Cancelled),
                _ => elsewhere.PostAsJsonAsync(
                    "/api/v1/auth/password",
                    new { currentPassword = Password, newPassword = "nine pigs saw a grey kettle" },
                    Cancelled
                ),
            }
        );
        Assert.True(done.IsSuccessStatusCode, $"{done.StatusCode}");
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(
            nodes.Select(async node =>
            {
                using var client = node.Client(credential);
                while (
                    (int)(await client.GetAsync("/api/v1/resources?consistency=eventual", Cancelled)).StatusCode
                        is not (401 or 403)
                )
                    Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20));
            })
        );
        var refused = watch.Elapsed;
        await Task.WhenAll(
            streams.Select(async items =>
            {
                while (
                    await items.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancelled)
                    && items.Current.EventType is not "end"
                )
                    ;
            })
        );
        TestContext.Current.SendDiagnosticMessage(
            $"{what}: refused everywhere after {refused.TotalMilliseconds:F0} ms, three streams ended after "
                + $"{watch.Elapsed.TotalMilliseconds:F0} ms"
        );
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1), $"It took {watch.Elapsed}.");
    }

    [Fact]
    [Trait("Conformance", "A14")]
    [Trait("Conformance", "A15")]
    [Trait("Conformance", "B7")]
    public async Task Single_use_credentials_succeed_once_across_all_nodes()
    {
        using var admin = nodes[0].Client(await nodes[0].SignInAsync());
        var email = $"{Guid.NewGuid():n}@example.org";
        await DataAsync(
            admin.PostAsJsonAsync(
                "/api/v1/users",
                new
                {
                    email,
                    password = Password,
                    roles = new[] { "user" },
                },
                Cancelled
            )
        );
        var clients = nodes.Select(node => new HttpClient { BaseAddress = node.Address }).ToArray();
        Task<HttpResponseMessage> LoginAsync(int at) =>
            clients[at].PostAsJsonAsync("/api/v1/auth/login", new { email, password = Password }, Cancelled);

        for (var round = 0; round < 10; round++)
        {
            var refresh = (await DataAsync(LoginAsync(0))).GetProperty("refreshToken").GetString();
            Assert.Equal(
                "200 401 401",
                await RaceAsync(at =>
                    clients[at].PostAsJsonAsync("/api/v1/auth/refresh", new { refreshToken = refresh }, Cancelled)
                )
            );
        }

        using var owner = nodes[0].Client((await DataAsync(LoginAsync(0))).GetProperty("accessToken").GetString()!);
        var secret = OtpNet.Base32Encoding.ToBytes(
            (await DataAsync(owner.PostAsync("/api/v1/me/mfa/totp", null, Cancelled))).GetProperty("secret").GetString()
        );
        // The step of time may end between the code and its check.
        await Eventually.HoldsAsync(
            async () =>
                (
                    await owner.PostAsJsonAsync("/api/v1/me/mfa/totp/confirm", new { code = Code(-30) }, Cancelled)
                ).IsSuccessStatusCode,
            TimeSpan.FromSeconds(5),
            () => "a code is confirmed"
        );
        var codes = (await DataAsync(owner.PostAsync("/api/v1/me/mfa/recovery-codes", null, Cancelled)))
            .GetProperty("codes")
            .EnumerateArray()
            .Select(code => code.GetString()!)
            .ToArray();

        var code = Code(0);
        Assert.Equal("200 401 401", await FinishAsync("totp", code));
        foreach (var recovery in codes)
            Assert.Equal("200 401 401", await FinishAsync("recovery_code", recovery));
        foreach (var client in clients)
            client.Dispose();

        string Code(int seconds) => new OtpNet.Totp(secret).ComputeTotp(DateTime.UtcNow.AddSeconds(seconds));

        async Task<string> FinishAsync(string method, string code)
        {
            var halves = await Task.WhenAll(
                clients.Select(async (_, at) => (await DataAsync(LoginAsync(at))).GetProperty("mfaToken").GetString())
            );
            return await RaceAsync(at =>
                clients[at]
                    .PostAsJsonAsync(
                        "/api/v1/auth/mfa",
                        new
                        {
                            mfaToken = halves[at],
                            method,
                            code,
                        },
                        Cancelled
                    )
            );
        }

        async Task<string> RaceAsync(Func<int, Task<HttpResponseMessage>> send) =>
            string.Join(
                " ",
                (
                    await Task.WhenAll(
                        clients.Select(
                            async (_, at) =>
                            {
                                using var answer = await send(at);
                                return (int)answer.StatusCode;
                            }
                        )
                    )
                ).Order()
            );
    }

    /// <summary>Opens a stream and reads it to the end of the log.</summary>
    static async Task<IAsyncEnumerator<SseItem<string>>> OpenAsync(ServerProcess node, string token)
    {
        var client = node.Client(token, Timeout.InfiniteTimeSpan);
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        var items = SseParser
            .Create(await client.GetStreamAsync("/api/v1/events", Cancelled))
            .EnumerateAsync(Cancelled)
            .GetAsyncEnumerator(Cancelled);
        while (await items.MoveNextAsync() && items.Current.EventType is not "caught-up")
            Assert.StartsWith("resource.", items.Current.EventType, StringComparison.Ordinal);
        return items;
    }

    static async Task<JsonElement> DataAsync(Task<HttpResponseMessage> request)
    {
        using var answer = await request;
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancelled);
        Assert.True(answer.IsSuccessStatusCode, $"{body}");
        return body.GetProperty("data");
    }
}
