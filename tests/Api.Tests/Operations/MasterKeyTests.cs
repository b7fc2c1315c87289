using System.Security.Cryptography;
using Npgsql;
using static Resources.Api.Tests.SubscriptionBackend;

namespace Resources.Api.Tests;

/// <summary>The change of the master key, while a node runs.</summary>
[Trait("Conformance", "J6")]
public sealed class MasterKeyTests(Backend backend)
{
    const string Key = "Secrets:MasterKey";
    const string Second = "Secrets:SecondMasterKey";

    readonly string before = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    readonly string after = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    [Fact]
    public async Task Master_key_is_changed_under_a_running_node_and_nothing_is_lost()
    {
        var database = await backend.CreateDatabaseAsync();
        await using var receiver = await WebhookReceiver.StartAsync();
        Person person;
        byte[] totp;
        string key,
            type = FreshType(),
            hook,
            refresh;
        string? secret;
        await using (var node = Start(database, (Key, before)))
        {
            var admin = await node.AdminAsync();
            person = await Person.CreateAsync(admin, node.Address, "author");
            var session = await person.LoginAsync();
            refresh = session.RefreshToken;
            key = (
                await session.Caller.PostAsync(
                    "/api-keys",
                    new { name = "k", permissions = new[] { "resource:create" } }
                )
            ).Text("/data/key")!;
            (hook, secret) = await SubscribeAsync(session.Caller, type, receiver.Url);
            Assert.Equal(200, (await session.Caller.SendAsync("POST", hook + "/secret")).Status);
            totp = await Person.EnrollAsync(session.Caller);
        }

        await using (var node = Start(database, (Key, after), (Second, before)))
        {
            var kept = await VaultAsync(database);
            var (code, output) = await RotateAsync(database, (Key, after), (Second, before));
            Assert.True(code is 0, output);
            // A change that was stopped half way is completed by the next.
            await RestoreAsync(database, kept[0]);
            (_, output) = await RotateAsync(database, (Key, after), (Second, before));
            Assert.Contains("1 secrets were encrypted anew", output, StringComparison.Ordinal);
            Assert.Equal(201, (await node.Guest().With(key).PostAsync("/resources", new { name = "x" })).Status);
            Assert.All(await VaultAsync(database), row => Assert.DoesNotContain(row, kept));
        }

        await using (var node = Start(database, (Key, after)))
        {
            var half = await new Person(node.Address, person.Email, person.Id).TryAsync();
            var whole = await new Person(node.Address, person.Email, person.Id).FinishAsync(
                half,
                "totp",
                Person.Code(totp)
            );
            Assert.True(whole.Status is 200, $"{whole}");
            var caller = node.Guest();
            Assert.Equal(200, (await caller.PostAsync("/auth/refresh", new { refreshToken = refresh })).Status);
            Assert.Equal(201, (await caller.With(key).PostAsync("/resources", new { name = "x", type })).Status);
            await Eventually.HoldsAsync(() => receiver.Taken.Any(), Plenty, receiver.ToString);
            Assert.True(receiver.All[0].IsSignedWith(secret!));
        }

        var (refused, why) = await ServerProcess.RunAsync(Options(database, (Key, before)));
        Assert.Equal(1, refused);
        Assert.Contains("Secrets:MasterKey is not the key", why, StringComparison.Ordinal);
    }

    static InProcessServer Start(string database, params (string, string)[] keys) =>
        InProcessServer.Start(database, [("Webhooks:AllowPrivateTargets", "true"), .. keys]);

    static Task<(int Code, string Output)> RotateAsync(string database, params (string, string)[] keys) =>
        ServerProcess.RunAsync(Options(database, keys), "rotate-master-key");

    static Dictionary<string, string> Options(string database, params (string Key, string Value)[] keys) =>
        new(
            keys.Append(("ConnectionStrings:Resources", database))
                .Append(("ASPNETCORE_URLS", "http://127.0.0.1:0"))
                .Select(option => KeyValuePair.Create(option.Item1, option.Item2))
        );

    /// <summary>The sealed secrets of accounts.</summary>
    static async Task<List<(Guid Id, string Sealed)>> VaultAsync(string database)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("select id, encode(sealed, 'hex') from vault order by id");
        await using var reader = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var rows = new List<(Guid, string)>();
        while (await reader.ReadAsync(TestContext.Current.CancellationToken))
            rows.Add((reader.GetGuid(0), reader.GetString(1)));
        return rows;
    }

    static async Task RestoreAsync(string database, (Guid Id, string Sealed) row)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("update vault set sealed = decode($2, 'hex') where id = $1");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = row.Id });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = row.Sealed });
        Assert.Equal(1, await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
    }
}
