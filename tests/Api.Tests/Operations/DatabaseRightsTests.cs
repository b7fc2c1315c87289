using System.Text;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>The rights of the server in PostgreSQL.</summary>
public sealed class DatabaseRightsTests(Backend backend)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>The rights are those of docs/OPERATIONS.md.</summary>
    [Fact]
    [Trait("Conformance", "J7")]
    public async Task Server_needs_only_read_and_write_rights_on_its_tables()
    {
        var database = await backend.CreateDatabaseAsync();
        await using (InProcessServer.Start(database)) { }
        var role = $"app_{Guid.NewGuid():n}";
        var password = Guid.NewGuid().ToString("n");
        await using (var source = NpgsqlDataSource.Create(database))
        await using (
            var grant = source.CreateCommand(
                $"""
                create role {role} login nosuperuser nocreatedb nocreaterole password '{password}';
                revoke create on schema public from public;
                grant select, insert, update, delete on all tables in schema public to {role};
                grant usage, select on all sequences in schema public to {role};
                grant execute on all functions in schema public to {role};
                alter default privileges in schema public grant select, insert, update, delete on tables to {role};
                """
            )
        )
            await grant.ExecuteNonQueryAsync(Cancelled);
        var limited = new NpgsqlConnectionStringBuilder(database)
        {
            Username = role,
            Password = password,
        }.ConnectionString;
        await using (var source = NpgsqlDataSource.Create(limited))
        await using (var create = source.CreateCommand("create table anything (id int)"))
            Assert.Equal(
                PostgresErrorCodes.InsufficientPrivilege,
                (await Assert.ThrowsAsync<PostgresException>(() => create.ExecuteNonQueryAsync(Cancelled))).SqlState
            );

        await using var node = InProcessServer.Start(limited, ("Schema:ApplyOnStart", "false"));
        var admin = await node.AdminAsync();
        var made = await admin.SendAsync("POST", "/api/v1/resources", """{"name":"with few rights"}""");
        Assert.Equal(201, made.Status);
        Assert.Equal(
            200,
            (
                await admin.SendAsync(
                    "PATCH",
                    made["Location"]!,
                    """{"name":"with few rights still"}""",
                    "application/merge-patch+json"
                )
            ).Status
        );
        foreach (
            var path in new[]
            {
                made["Location"]!,
                "/api/v1/resources",
                "/api/v1/resources?q=rights",
                "/api/v1/statistics",
                "/api/v1/events",
                "/api/v1/users",
                "/api/v1/audit",
                "/api/v1/admin/followers",
            }
        )
        {
            var answer = await admin.GetAsync(path);
            Assert.True(answer.Status is 200, $"{path}: {answer} {string.Join('\n', node.Errors)}");
        }
        Assert.Equal(
            201,
            (
                await admin.SendAsync("POST", "/api/v1/subscriptions", """{"name":"s","delivery":{"kind":"pull"}}""")
            ).Status
        );
        await Eventually.HoldsAsync(async () => (await admin.GetAsync("/health")).Text("/status") is "ok");

        // A rebuild makes tables, with the rights of who owns the others.
        await ReadModel.RebuildAsync(admin);
        Assert.Equal(1, (await admin.GetAsync("/api/v1/resources?q=rights")).At("/data")!.Value.GetArrayLength());
        Assert.DoesNotContain(node.Errors, error =>
            error.Contains(PostgresErrorCodes.InsufficientPrivilege, StringComparison.Ordinal)
        );
    }
}
