using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Erasure of an account, through a restart and a rebuild.</summary>
[Collection(MoreServers.Name)]
public sealed class AccountErasureTests(Backend backend)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Conformance", "J4")]
    public async Task Deleted_account_is_erased_from_all_reads_and_after_restart()
    {
        var database = await backend.CreateDatabaseAsync();
        Person person;
        string? made;
        await using (var node = InProcessServer.Start(database))
        {
            var admin = await node.AdminAsync();
            person = await Person.CreateAsync(admin, node.Address, "author");
            var owner = (await person.LoginAsync()).Caller;
            made = (await owner.SendAsync("POST", "/api/v1/resources", """{"name":"left behind"}"""))["Location"];
            await Person.EnrollAsync(owner);
            Assert.Contains(person.Email, (await admin.GetAsync("/api/v1/users")).ToString(), StringComparison.Ordinal);
            Assert.Equal(204, (await admin.SendAsync("DELETE", $"/api/v1/users/{person.Id}")).Status);
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
        Assert.DoesNotContain(person.Email, await Dump.OfAsync(database), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(401, (await new Person(anew.Address, person.Email, person.Id).TryAsync()).Status);
    }
}
