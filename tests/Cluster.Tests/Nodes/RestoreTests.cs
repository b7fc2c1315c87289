using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Npgsql;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>A dump of a running system that is restored beside it.</summary>
public sealed class RestoreTests(TestPostgres postgres) : IAsyncLifetime
{
    const string Cluster = "restore";

    readonly List<ServerProcess> nodes = [];

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => default;

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Fact]
    public async Task Restored_copy_forms_a_cluster_of_its_own_and_goes_on_beyond_the_original()
    {
        var original = await postgres.CreateDatabaseAsync();
        var copy = await postgres.CreateDatabaseAsync();
        using var first = await StartAsync(original);
        for (var i = 0; i < 10; i++)
            await CreateAsync(first, $"both {i}");

        await CopyAsync(original, copy);
        // As if the original had been promoted some times: time lines of different servers do not compare.
        await ExecuteAsync(copy, "update log_epochs set timeline = 5");
        using var second = await StartAsync(copy);
        for (var i = 0; i < 60; i++)
        {
            await CreateAsync(first, $"original {i}");
            await CreateAsync(second, $"copy {i}");
        }

        Assert.Equal(1L, await ExecuteAsync(original, "select count(*) from log_epochs"));
        Assert.Equal(70L, await ExecuteAsync(original, Created));
        Assert.Equal(70L, await ExecuteAsync(copy, Created));
        Assert.Equal(1L, await ExecuteAsync(copy, "select count(*) from mt_events where type = 'log.restored'"));
        var head = await ExecuteAsync(original, "select head from log_head()");
        Assert.Equal(60L, await ExecuteAsync(copy, $"{Created} and seq_id > {head}"));
        // One cluster of one node each: neither has heard of the other.
        foreach (var database in new[] { original, copy })
            Assert.Equal(1L, await ExecuteAsync(database, Alive));
    }

    const string Created = "select count(*) from mt_events where type = 'resource.created'";

    /// <summary>Nodes that are active in the cluster that was last active.</summary>
    const string Alive = """
        select count(*) from orleansmembershiptable where status = 3
            and deploymentid = (select deploymentid from orleansmembershiptable order by iamalivetime desc limit 1)
        """;

    async Task<HttpClient> StartAsync(string database)
    {
        var node = await ServerProcess.StartReadyAsync(database, Cluster);
        nodes.Add(node);
        return node.Client(await node.SignInAsync());
    }

    static async Task CreateAsync(HttpClient client, string name)
    {
        using var created = await client.PostAsJsonAsync("/api/v1/resources", new { name }, Cancelled);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
    }

    static async Task CopyAsync(string from, string to)
    {
        var control = PostgresBinaries.FindInstalled(null, out _)!["pg_ctl"];
        var programs = Path.GetDirectoryName(File.ResolveLinkTarget(control, true)?.FullName ?? control)!;
        var dump = await RunAsync(Path.Combine(programs, "pg_dump"), from, "");
        await RunAsync(Path.Combine(programs, "psql"), to, dump);
    }

    static async Task<string> RunAsync(string program, string database, string input)
    {
        var settings = new NpgsqlConnectionStringBuilder(database);
        var start = new ProcessStartInfo(
            program,
            [$"host=127.0.0.1 port={settings.Port} user={settings.Username} dbname={settings.Database}"]
        )
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["PGPASSWORD"] = settings.Password },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(Cancelled);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync(Cancelled);
        Assert.Equal(0, process.ExitCode);
        return await output;
    }

    static async Task<object?> ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(database);
        await connection.OpenAsync(Cancelled);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Cancelled);
    }
}
