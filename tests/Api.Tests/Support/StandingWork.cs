using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Writes that a server works on for as long as a test wants, at most for the time that a write may take.</summary>
sealed class StandingWork : IAsyncDisposable
{
    readonly NpgsqlConnection connection;
    readonly NpgsqlTransaction transaction;
    readonly List<Task<Answer>> writes = [];

    StandingWork(NpgsqlConnection connection, NpgsqlTransaction transaction)
    {
        this.connection = connection;
        this.transaction = transaction;
    }

    /// <summary>Begins so many writes of a caller, and keeps the log from taking them.</summary>
    /// <param name="from">The address that the server takes the caller's to be.</param>
    public static async Task<StandingWork> BeginAsync(
        InProcessServer node,
        ApiClient caller,
        int writes,
        string from = "127.0.0.1"
    )
    {
        var connection = new NpgsqlConnection(node.ConnectionString);
        await connection.OpenAsync();
        var work = new StandingWork(connection, await connection.BeginTransactionAsync());
        await using var command = new NpgsqlCommand("lock table mt_events in exclusive mode", connection);
        await command.ExecuteNonQueryAsync();
        for (var i = 0; i < writes; i++)
            work.writes.Add(WriteAsync(caller, from));
        return work;
    }

    /// <summary>Writes until there is room: a request counts a moment longer than its caller waits for the answer.</summary>
    static async Task<Answer> WriteAsync(ApiClient caller, string from)
    {
        while (true)
        {
            var answer = await caller.SendAsync(
                "POST",
                "/api/v1/resources",
                """{"name":"standing"}""",
                headers: ("X-Forwarded-For", from)
            );
            if (answer.Code != ProblemType.Overloaded.Code)
                return answer;
        }
    }

    /// <summary>Lets the log take the writes, and waits for their answers.</summary>
    public async Task<Answer[]> EndAsync()
    {
        await transaction.DisposeAsync();
        return await Task.WhenAll(writes);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        await connection.DisposeAsync();
    }
}
