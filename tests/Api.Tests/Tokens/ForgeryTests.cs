using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;

namespace Resources.Api.Tests;

/// <summary>
/// The forging kit (B1 to B5): tokens that somebody else's library has forged; and what it makes of ours.
/// </summary>
public sealed class ForgeryTests(Backend backend, NodeProgram node)
{
    [Fact]
    public async Task B1_to_B5_Every_forged_token_is_refused_and_nobody_is_asked_for_keys()
    {
        var person = await Person.CreateAsync(backend.Admin, backend.Node.Address, "user");
        var session = await person.LoginAsync();
        var key = (
            await session.Caller.SendAsync(
                "POST",
                "/api/v1/api-keys",
                """{"name":"k","permissions":["resource:read"]}"""
            )
        ).Text("/data/key")!;
        var signing = backend.Node.Services.GetRequiredService<SigningKeys>().All[0].Key.ECDsa;
        var output = JsonElement.Parse(
            await node.RunAsync(
                "forge.mjs",
                $"{backend.Node.Address}",
                session.Caller.Token!,
                session.RefreshToken,
                key,
                Convert.ToBase64String(signing.ExportPkcs8PrivateKey())
            )
        );

        var forged = output.GetProperty("forged").EnumerateObject().ToArray();
        Assert.True(forged.Length >= 50);
        Assert.All(forged, each =>
            Assert.Equal(
                $$"""{{each.Name}} {"status":401,"challenge":"Bearer error=\"invalid_token\"","code":"UNAUTHENTICATED"}""",
                $"{each.Name} {each.Value.GetRawText()}"
            )
        );
        Assert.Equal((401, 0), (output.GetProperty("stream").GetInt32(), output.GetProperty("calls").GetInt32()));
        Assert.Equal(
            (200, 200, true),
            (
                output.GetProperty("good").GetInt32(),
                output.GetProperty("signedAgain").GetInt32(),
                output.GetProperty("verified").GetBoolean()
            )
        );
        Assert.Equal(
            """{"cache":"public, max-age=30","members":["alg","crv","kid","kty","use","x","y"]}""",
            output.GetProperty("jwks").GetRawText()
        );
        Assert.InRange(output.GetProperty("slowest").GetDouble(), 0, 1_000);
        Assert.DoesNotContain(backend.Node.Errors, error => error.Contains("JsonWebToken", StringComparison.Ordinal));
    }
}

/// <summary>Signing keys that change (B6), on a node of their own.</summary>
[Collection(MoreNodes.Name)]
public sealed class SigningKeyTests(Backend backend)
{
    [Fact]
    public async Task B6_A_new_key_is_announced_before_it_signs_and_a_withdrawn_one_is_good_for_nothing()
    {
        await using var node = await backend.StartNodeAsync();
        var guest = new Caller(node.Address);
        var admin = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
        var first = (await guest.GetAsync("/.well-known/jwks.json")).Text("/keys/0/kid")!;

        var rotated = await admin.SendAsync("POST", "/api/v1/admin/signing-keys/rotate");
        Assert.Equal(
            ["announced", "signing"],
            rotated.At("/data")!.Value.EnumerateArray().Select(key => key.GetProperty("state").GetString())
        );
        Assert.Equal(2, (await guest.GetAsync("/.well-known/jwks.json")).At("/keys")!.Value.GetArrayLength());
        var still = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
        Assert.Equal(first, Kid(still.Token!));

        // As if the minute were over.
        await using (var source = Npgsql.NpgsqlDataSource.Create(node.ConnectionString))
        await using (
            var command = source.CreateCommand(
                "update signing_keys set signs_at = clock_timestamp() where signs_at > clock_timestamp()"
            )
        )
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(async () =>
            Kid((await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword)).Token!) != first
        );
        Assert.Equal(200, (await still.GetAsync("/api/v1/me")).Status);

        var fresh = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
        Assert.Equal(204, (await fresh.SendAsync("DELETE", $"/api/v1/admin/signing-keys/{first}")).Status);
        Assert.Equal(401, (await still.GetAsync("/api/v1/me")).Status);
        Assert.Equal(200, (await fresh.GetAsync("/api/v1/me")).Status);
        Assert.Equal(404, (await fresh.SendAsync("DELETE", $"/api/v1/admin/signing-keys/{first}")).Status);

        // The last one too: then another signs at once.
        Assert.Equal(204, (await fresh.SendAsync("DELETE", $"/api/v1/admin/signing-keys/{Kid(fresh.Token!)}")).Status);
        Assert.Equal(401, (await fresh.GetAsync("/api/v1/me")).Status);
        Assert.Equal(
            200,
            (await (await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword)).GetAsync("/api/v1/me")).Status
        );
        Assert.DoesNotContain(
            "signing_key",
            (
                await (await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword)).GetAsync(
                    "/.well-known/jwks.json"
                )
            ).ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task B6_Keys_that_change_under_load_on_two_nodes_refuse_nobody()
    {
        var database = await backend.CreateDatabaseAsync();
        var secret = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
        (string, string)[] shared =
        [
            ("Secrets:MasterKey", secret),
            ("Cluster:ClusterId", Guid.NewGuid().ToString("n")),
        ];
        await using var one = new ApiNode(database, shared);
        await using var two = new ApiNode(database, shared);
        await using var source = Npgsql.NpgsqlDataSource.Create(database);
        Caller[] guests = [new(one.Address), new(two.Address)];
        Task<Caller> LoginAsync(int node) => guests[node].LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
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
    public async Task The_private_part_of_a_key_whose_tokens_are_all_over_is_deleted()
    {
        await using var node = await backend.StartNodeAsync();
        var guest = new Caller(node.Address);
        var admin = await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword);
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
        Assert.Equal(
            200,
            (await (await guest.LoginAsync(ApiNode.AdminEmail, ApiNode.AdminPassword)).GetAsync("/api/v1/me")).Status
        );
    }

    static string Kid(string token) =>
        JsonElement
            .Parse(Microsoft.IdentityModel.Tokens.Base64UrlEncoder.DecodeBytes(token.Split('.')[0]))
            .GetProperty("kid")
            .GetString()!;
}
