using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Deletion of an account, also when it was interrupted.</summary>
[Trait("Conformance", "J4")]
public sealed class AccountDeletionTests(Backend backend)
{
    const string Password = "nine pigs saw a grey kettle";

    [Fact]
    public async Task Deleted_account_is_erased_and_its_address_can_be_reused()
    {
        var person = await backend.CreatePersonAsync("user");
        await person.LoginAsync();
        Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/users/{person.Id}")).Status);
        Assert.Equal("ACCOUNT_NOT_FOUND", (await backend.Admin.GetAsync($"/api/v1/users/{person.Id}")).Code);
        Assert.Equal(401, (await person.TryAsync()).Status);
        await using var source = NpgsqlDataSource.Create(backend.Server.ConnectionString);
        await using var command = source.CreateCommand(
            "select (select count(*) from vault where subject = $1) + (select count(*) from account_emails where account = $1)"
        );
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
        Assert.Equal(0L, await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
        Assert.Equal(201, (await backend.AddUserAsync(person.Email, Password, "user")).Status);
        await backend.Guest.LoginAsync(person.Email, Password);
    }

    [Fact]
    public async Task Interrupted_deletion_is_completed_by_the_next_deletion_or_registration()
    {
        var deletedAgain = await backend.CreatePersonAsync("user");
        var registered = await backend.CreatePersonAsync("user");
        await using var source = NpgsqlDataSource.Create(backend.Server.ConnectionString);
        async Task<byte[]> TakeAwayAsync(Person person)
        {
            await using var command = source.CreateCommand("select digest from account_emails where account = $1");
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
            var digest = (byte[])(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
            Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", $"/api/v1/users/{person.Id}")).Status);
            await using var claim = source.CreateCommand(
                "insert into account_emails (digest, account) values ($1, $2)"
            );
            claim.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = digest });
            claim.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = person.Id });
            await claim.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            return digest;
        }

        var digest = await TakeAwayAsync(deletedAgain);
        Assert.Equal(
            "ACCOUNT_NOT_FOUND",
            (await backend.Admin.SendAsync("DELETE", $"/api/v1/users/{deletedAgain.Id}")).Code
        );
        await using var kept = source.CreateCommand("select count(*) from account_emails where digest = $1");
        kept.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = digest });
        Assert.Equal(0L, await kept.ExecuteScalarAsync(TestContext.Current.CancellationToken));

        await TakeAwayAsync(registered);
        Assert.Equal(201, (await backend.AddUserAsync(registered.Email, Password, "user")).Status);
        await backend.Guest.LoginAsync(registered.Email, Password);
    }
}
