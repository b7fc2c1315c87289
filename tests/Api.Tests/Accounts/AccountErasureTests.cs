using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Erasure of an account, through a restart and a rebuild.</summary>
public sealed class AccountErasureTests(Backend backend)
{
    const string Canary = "canary4711";

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Conformance", "J4")]
    public async Task Deleted_account_is_erased_from_all_reads_and_after_restart()
    {
        var database = await backend.CreateDatabaseAsync();
        Person person;
        string? made;
        string? key,
            hook;
        await using (var node = InProcessServer.Start(database))
        {
            var admin = await node.AdminAsync();
            person = await Person.CreateAsync(admin, node.Address, "author");
            var owner = (await person.LoginAsync()).Caller;
            made = (await owner.SendAsync("POST", "/api/v1/resources", """{"name":"left behind"}"""))["Location"];
            await Person.EnrollAsync(owner);
            key = (
                await owner.PostAsync(
                    "/api-keys",
                    new { name = $"key of {Canary}", permissions = new[] { "resource:create" } }
                )
            ).Text("/data/key");
            var delivery = new { kind = "webhook", url = $"https://93.184.215.14/{Canary}?token={Canary}" };
            var hooked = await owner.PostAsync("/subscriptions", new { name = $"hook of {Canary}", delivery });
            Assert.True(hooked.Status is 201, $"{hooked}");
            hook = hooked["Location"];
            Assert.Contains(person.Email, (await admin.GetAsync("/api/v1/users")).ToString(), StringComparison.Ordinal);
            Assert.Contains(Canary, await Dump.OfAsync(database), StringComparison.Ordinal);
            Assert.Equal(204, (await admin.SendAsync("DELETE", $"/api/v1/users/{person.Id}")).Status);
            Assert.Equal(404, (await admin.GetAsync(hook!)).Status);
            var ended = await admin.GetAsync($"/api/v1/audit?event=api_key.revoked,subscription.deleted");
            Assert.Equal(
                ["api_key.revoked", "subscription.deleted"],
                ended.At("/data")!.Value.EnumerateArray().Select(entry => entry.GetProperty("type").GetString()!)
            );
        }
        await using var source = NpgsqlDataSource.Create(database);
        await using var left = source.CreateCommand(
            "select (select count(*) from vault where subject = $1) + (select count(*) from account_emails where account = $1)"
        );
        left.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
        Assert.Equal(0L, await left.ExecuteScalarAsync(Cancelled));
        // Whatever a node keeps beside the log is made again from it.
        await using (var forget = source.CreateCommand("truncate stream_snapshots"))
            await forget.ExecuteNonQueryAsync(Cancelled);

        await using var anew = InProcessServer.Start(database);
        var reader = await anew.AdminAsync();
        await ReadModel.RebuildAsync(reader);
        Assert.Equal(404, (await reader.GetAsync($"/api/v1/users/{person.Id}")).Status);
        foreach (
            var path in new[]
            {
                "/api/v1/users",
                $"/api/v1/audit?subject={person.Id}",
                $"/api/v1/audit?actor={person.Id}",
                "/api/v1/events",
                made!,
                made + "/events",
            }
        )
        {
            var answer = await reader.GetAsync(path);
            Assert.Equal(200, answer.Status);
            Assert.DoesNotContain(person.Email, answer.ToString(), StringComparison.OrdinalIgnoreCase);
        }
        var dump = await Dump.OfAsync(database);
        foreach (var trace in new[] { person.Email, Canary })
            Assert.DoesNotContain(trace, dump, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(401, (await anew.Guest().With(key!).GetAsync("/api/v1/me")).Status);
        Assert.Equal(401, (await new Person(anew.Address, person.Email, person.Id).TryAsync()).Status);
    }
}
