using System.Diagnostics;
using System.Reflection;
using Npgsql;

namespace Resources.Silo;

/// <summary>
/// The one migration path: Marten's objects first, then the numbered scripts of this folder, each once.
/// </summary>
public static class Schema
{
    // "RESOURCE" in ASCII. Any fixed number does, as long as every node of every version takes the same one.
    const long LockKey = 0x5245_534F_5552_4345;
    const int OldestPostgres = 15;

    static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(60);
    static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(100);
    static readonly Assembly Home = typeof(Schema).Assembly;

    static readonly string[] Scripts =
    [
        .. Home.GetManifestResourceNames()
            .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>
    /// Brings the database up to date. Nodes that start together queue up; applying twice changes nothing.
    /// </summary>
    /// <param name="connectionString">
    /// A direct connection: the lock belongs to a session, which a transaction pooler would not keep.
    /// </param>
    /// <param name="applyMarten">Creates Marten's objects, which the scripts may build on.</param>
    /// <param name="ct">Gives up between two scripts, or rolls the running one back.</param>
    public static async Task ApplyAsync(
        string connectionString,
        Func<CancellationToken, Task> applyMarten,
        CancellationToken ct
    )
    {
        await using var connection = await OpenAsync(connectionString, ct);
        await LockAsync(connection, ct);
        await applyMarten(ct);

        await ExecuteAsync(
            connection,
            """
            create table if not exists public.schema_scripts (
                name text primary key,
                applied_at timestamptz not null default now()
            )
            """,
            ct
        );
        foreach (var name in await PendingAsync(connection, ct))
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await ExecuteAsync(connection, await ReadAsync(name, ct), ct);
            await ExecuteAsync(connection, "insert into public.schema_scripts (name) values ($1)", ct, name);
            await transaction.CommitAsync(ct);
        }
        await ExecuteAsync(connection, "select restore_log_indexes()", ct);
    }

    /// <summary>The scripts this database still lacks, for a node that may not apply them itself.</summary>
    public static async Task<IReadOnlyList<string>> PendingAsync(string connectionString, CancellationToken ct)
    {
        await using var connection = await OpenAsync(connectionString, ct);
        return await PendingAsync(connection, ct);
    }

    static async Task<List<string>> PendingAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var exists = new NpgsqlCommand(
            "select to_regclass('public.schema_scripts') is not null",
            connection
        );
        if (await exists.ExecuteScalarAsync(ct) is not true)
            return [.. Scripts];

        await using var recorded = new NpgsqlCommand(
            "select coalesce(array_agg(name), '{}') from public.schema_scripts",
            connection
        );
        var applied = (string[])(await recorded.ExecuteScalarAsync(ct))!;
        return [.. Scripts.Except(applied)];
    }

    static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken ct)
    {
        // Not from the pool, so that closing it ends the session and with it the lock.
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(ct);
        if (connection.PostgreSqlVersion.Major >= OldestPostgres)
            return connection;

        var found = connection.PostgreSqlVersion;
        await connection.DisposeAsync();
        throw new InvalidOperationException(
            $"PostgreSQL {OldestPostgres} or newer is required; the server at {settings.Host} is {found}."
        );
    }

    // Polled rather than waited for in one statement: a waiting statement holds a snapshot, and an index that the
    // lock's holder builds concurrently would wait for that snapshot in turn.
    static async Task LockAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < LockPatience; await Task.Delay(LockPoll, ct))
        {
            await using var command = new NpgsqlCommand("select pg_try_advisory_lock($1)", connection)
            {
                Parameters = { new() { Value = LockKey } },
            };
            if (await command.ExecuteScalarAsync(ct) is true)
                return;
        }
        throw new TimeoutException(
            $"Another node has been applying the schema for more than {LockPatience.TotalSeconds} seconds. Look at pg_locks for an advisory lock."
        );
    }

    static async Task ExecuteAsync(
        NpgsqlConnection connection,
        string sql,
        CancellationToken ct,
        params string[] arguments
    )
    {
        // No time-out of its own: an index over a large table may take long, and the token still ends it.
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var argument in arguments)
            command.Parameters.Add(new() { Value = argument });
        await command.ExecuteNonQueryAsync(ct);
    }

    static async Task<string> ReadAsync(string script, CancellationToken ct)
    {
        using var reader = new StreamReader(Home.GetManifestResourceStream(script)!);
        return await reader.ReadToEndAsync(ct);
    }
}
