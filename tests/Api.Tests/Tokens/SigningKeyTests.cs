using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Rotation of signing keys, on a server of its own.</summary>
public sealed class SigningKeyTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "B6")]
    public async Task New_key_is_announced_before_it_signs_and_a_withdrawn_key_is_refused()
    {
        await using var node = await backend.StartServerAsync();
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();
        var first = (await guest.GetAsync("/.well-known/jwks.json")).Text("/keys/0/kid")!;

        var rotated = await admin.SendAsync("POST", "/api/v1/admin/signing-keys/rotate");
        Assert.Equal(
            ["announced", "signing"],
            rotated.At("/data")!.Value.EnumerateArray().Select(key => key.GetProperty("state").GetString())
        );
        Assert.Equal(2, (await guest.GetAsync("/.well-known/jwks.json")).At("/keys")!.Value.GetArrayLength());
        var still = await guest.LoginAsAdminAsync();
        Assert.Equal(first, Kid(still.Token!));

        // As if the minute were over.
        await using (var source = Npgsql.NpgsqlDataSource.Create(node.ConnectionString))
        await using (
            var command = source.CreateCommand(
                "update signing_keys set signs_at = clock_timestamp() where signs_at > clock_timestamp()"
            )
        )
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(async () => Kid((await guest.LoginAsAdminAsync()).Token!) != first);
        Assert.Equal(200, (await still.GetAsync("/api/v1/me")).Status);

        var fresh = await guest.LoginAsAdminAsync();
        Assert.Equal(204, (await fresh.SendAsync("DELETE", $"/api/v1/admin/signing-keys/{first}")).Status);
        Assert.Equal(401, (await still.GetAsync("/api/v1/me")).Status);
        Assert.Equal(200, (await fresh.GetAsync("/api/v1/me")).Status);
        Assert.Equal(404, (await fresh.SendAsync("DELETE", $"/api/v1/admin/signing-keys/{first}")).Status);

        // The last one too: then another signs at once.
        Assert.Equal(204, (await fresh.SendAsync("DELETE", $"/api/v1/admin/signing-keys/{Kid(fresh.Token!)}")).Status);
        Assert.Equal(401, (await fresh.GetAsync("/api/v1/me")).Status);
        Assert.Equal(200, (await (await guest.LoginAsAdminAsync()).GetAsync("/api/v1/me")).Status);
        Assert.DoesNotContain(
            "signing_key",
            (await (await guest.LoginAsAdminAsync()).GetAsync("/.well-known/jwks.json")).ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    [Trait("Conformance", "B6")]
    [Trait("Conformance", "J6")]
    public async Task Key_rotation_under_load_on_two_nodes_refuses_no_valid_token()
    {
        var database = await backend.CreateDatabaseAsync();
        var cluster = ("Cluster:ClusterId", Guid.NewGuid().ToString("n"));
        await using var one = InProcessServer.Start(database, cluster);
        await using var two = InProcessServer.Start(database, cluster);
        await using var source = Npgsql.NpgsqlDataSource.Create(database);
        ApiClient[] guests = [new(one.Address), new(two.Address)];
        Task<ApiClient> LoginAsync(int node) => guests[node].LoginAsAdminAsync();
        var admin = await LoginAsync(0);
        var kids = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        var answers = new System.Collections.Concurrent.ConcurrentDictionary<int, int>();
        var over = false;
        kids[Kid(admin.Token!)] = true;

        // Tokens of each node are used at both as soon as they are there, and so is the oldest one all along.
        var load = Enumerable
            .Range(0, 4)
            .Select(worker =>
                Task.Run(
                    async () =>
                    {
                        for (var i = worker; !Volatile.Read(ref over); i++)
                        {
                            var token = (await LoginAsync(i % 2)).Token!;
                            kids[Kid(token)] = true;
                            for (var j = 0; j < 10; j++)
                                foreach (var each in new[] { token, admin.Token! })
                                    answers.AddOrUpdate(
                                        (await guests[j % 2].With(each).GetAsync("/api/v1/me")).Status,
                                        1,
                                        (_, count) => count + 1
                                    );
                        }
                    },
                    TestContext.Current.CancellationToken
                )
            )
            .ToArray();
        try
        {
            for (var rotations = 1; rotations <= 3; rotations++)
            {
                Assert.Equal(200, (await admin.SendAsync("POST", "/api/v1/admin/signing-keys/rotate")).Status);
                await Eventually.HoldsAsync(async () =>
                    (await guests[1].GetAsync("/.well-known/jwks.json")).At("/keys")!.Value.GetArrayLength()
                    == rotations + 1
                );
                // As if most of the minute were over.
                await using (
                    var command = source.CreateCommand(
                        "update signing_keys set signs_at = clock_timestamp() where signs_at > clock_timestamp()"
                    )
                )
                    await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
                await Eventually.HoldsAsync(
                    () => Task.FromResult(kids.Count == rotations + 1 || load.Any(task => task.IsFaulted)),
                    within: TimeSpan.FromSeconds(20)
                );
            }
        }
        finally
        {
            Volatile.Write(ref over, true);
            await Task.WhenAll(load);
        }
        Assert.Equal([200], answers.Keys);
        Assert.True(answers[200] > 100, $"{answers[200]} requests are no load.");
    }

    [Fact]
    public async Task Private_key_is_deleted_once_all_its_tokens_have_expired()
    {
        await using var node = await backend.StartServerAsync();
        var guest = node.Guest();
        var admin = await guest.LoginAsAdminAsync();
        var first = Kid(admin.Token!);
        Assert.Equal(200, (await admin.SendAsync("POST", "/api/v1/admin/signing-keys/rotate")).Status);
        await using var source = Npgsql.NpgsqlDataSource.Create(node.ConnectionString);
        async Task<T> AskAsync<T>(string sql)
        {
            await using var command = source.CreateCommand(sql);
            return (T)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        }
        // As if the second one had signed for long.
        await AskAsync<bool>(
            "with moved as (update signing_keys set signs_at = signs_at - interval '2 hours' returning 1) select true"
        );
        await Eventually.HoldsAsync(() =>
            AskAsync<bool>(
                $"select protected_key is null and withdrawn_at is not null from signing_keys where kid = '{first}'"
            )
        );
        Assert.Equal(1L, await AskAsync<long>("select count(*) from signing_keys where protected_key is not null"));
        Assert.Equal(401, (await admin.GetAsync("/api/v1/me")).Status);
        Assert.Equal(200, (await (await guest.LoginAsAdminAsync()).GetAsync("/api/v1/me")).Status);
    }

    static string Kid(string token) =>
        JsonElement
            .Parse(Microsoft.IdentityModel.Tokens.Base64UrlEncoder.DecodeBytes(token.Split('.')[0]))
            .GetProperty("kid")
            .GetString()!;
}
