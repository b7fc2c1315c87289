using System.Diagnostics;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>A database has one cluster.</summary>
public sealed class ClusterClaimTests(TestPostgres postgres)
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Second_cluster_is_refused_while_nodes_of_the_first_are_alive()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var blue = await ServerProcess.StartReadyAsync(database, "blue");

        var (code, output) = await GreenAsync(database);

        Assert.True(code is 1, output);
        Assert.StartsWith(
            "Nodes of the cluster 'blue' run on this database",
            output.Split('\n')[^1],
            StringComparison.Ordinal
        );

        // A member that was killed is in the table as before, but never moves.
        await blue.KillAsync();
        await using (await ServerProcess.StartReadyAsync(database, "green")) { }
        await using var source = NpgsqlDataSource.Create(database);
        await using var others = source.CreateCommand(
            "select count(*) from orleansmembershiptable where deploymentid = 'blue'"
        );
        Assert.Equal(0L, await others.ExecuteScalarAsync(Cancelled));
    }

    [Fact]
    public async Task Node_whose_claim_was_taken_ends_in_order()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var blue = await ServerProcess.StartReadyAsync(database, "blue");
        await using var source = NpgsqlDataSource.Create(database);
        await using var take = source.CreateCommand("update database_cluster set cluster_id = 'green'");
        var taken = Stopwatch.StartNew();
        await take.ExecuteNonQueryAsync(Cancelled);

        Assert.Equal(75, await blue.EndedAsync());

        Assert.InRange(taken.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Contains(blue.Lines, line =>
            line.Contains("The cluster 'green' has claimed the database", StringComparison.Ordinal)
        );
    }

    /// <summary>A copy of the files of a database has the members of its original, which are alive elsewhere.</summary>
    [Fact]
    public async Task Node_on_a_copy_of_the_files_never_joins_the_original()
    {
        var original = await postgres.CreateDatabaseAsync();
        await using var blue = await ServerProcess.StartReadyAsync(original, "blue");
        var copy = await postgres.CreateDatabaseAsync();
        await using (await LogDatabase.OpenAsync(copy, applySchema: true)) { }
        await CopyMembersAsync(original, copy);

        var (code, output) = await StartAsync(copy, "blue");

        Assert.True(code is 75, output);
        Assert.StartsWith("A node of cluster 'blue' listens at 127.0.0.1:", output, StringComparison.Ordinal);

        // Members that are gone do not keep anybody out.
        await blue.KillAsync();
        await using var alone = await ServerProcess.StartReadyAsync(copy, "blue");
        Assert.False(alone.HasExited);
    }

    static async Task CopyMembersAsync(string original, string copy)
    {
        await using var from = NpgsqlDataSource.Create(original);
        await using var to = NpgsqlDataSource.Create(copy);
        foreach (var table in new[] { "orleansmembershipversiontable", "orleansmembershiptable" })
        {
            await using var read = from.CreateCommand($"select json_agg(t)::text from {table} t");
            await using var write = to.CreateCommand(
                $"insert into {table} select * from json_populate_recordset(null::{table}, $1::json)"
            );
            write.Parameters.Add(new() { Value = await read.ExecuteScalarAsync(Cancelled) });
            await write.ExecuteNonQueryAsync(Cancelled);
        }
    }

    static Task<(int Code, string Output)> GreenAsync(string database) => StartAsync(database, "green");

    static async Task<(int Code, string Output)> StartAsync(string database, string cluster)
    {
        var (code, output) = await ServerProcess.RunAsync(
            TestServer.Configure(
                database,
                [
                    ("ASPNETCORE_URLS", $"http://127.0.0.1:{FreePort.Find()}"),
                    ("Cluster:ClusterId", cluster),
                    ("Cluster:AdvertisedAddress", "127.0.0.1"),
                ]
            )
        );
        return (code, output.Trim());
    }
}
