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

        Assert.Equal(75, await blue.EndAsync());

        Assert.InRange(taken.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(10));
        Assert.Contains(blue.Lines, line =>
            line.Contains("The cluster 'green' has claimed the database", StringComparison.Ordinal)
        );
    }

    static async Task<(int Code, string Output)> GreenAsync(string database)
    {
        var (code, output) = await ServerProcess.RunAsync(
            TestServer.Configure(
                database,
                [
                    ("ASPNETCORE_URLS", $"http://127.0.0.1:{FreePort.Find()}"),
                    ("Cluster:ClusterId", "green"),
                    ("Cluster:AdvertisedAddress", "127.0.0.1"),
                ]
            )
        );
        return (code, output.Trim());
    }
}
