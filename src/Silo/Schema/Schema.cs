using System.Diagnostics;
using System.Reflection;
using Npgsql;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>
/// The one migration path: Marten's objects, then the numbered scripts of this folder, then those that features bring;
/// each once. What was applied is frozen: a changed script is refused, as nobody could say which text a database has.
/// </summary>
/// <param name="connectionString">
/// A direct connection: the lock belongs to a session, which a transaction pooler would not keep.
/// </param>
/// <param name="parts">All parts, in the order in which they build on each other.</param>
public sealed class Schema(string connectionString, IReadOnlyList<SchemaPart> parts)
{
    // "RESOURCE" in ASCII. Any fixed number does, as long as every node of every version takes the same one.
    const long LockKey = 0x5245_534F_5552_4345;

    static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(60);
    static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan LockWait = TimeSpan.FromMilliseconds(300);
    static readonly TimeSpan LockPause = TimeSpan.FromSeconds(1);

    /// <summary>Runs at every start, as nodes of older releases drop these.</summary>
    const string LogIndexes = "126_log_indexes.sql";

    /// <summary>The schema of the product with the scripts of other assemblies.</summary>
    public static Schema Of(string connectionString, IEnumerable<Assembly> others) =>
        new(connectionString, [MartenPart.Of(connectionString), .. SchemaScript.Of(others)]);

    /// <summary>
    /// Brings the database up to date. Nodes that start together queue up; applying twice changes nothing.
    /// </summary>
    /// <param name="ct">Gives up between two parts, or rolls the running one back.</param>
    /// <exception cref="ConfigurationException">A part has changed since it was applied.</exception>
    public async Task ApplyAsync(CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        await LockAsync(connection, ct);
        await PrepareRecordsAsync(connection, ct);
        foreach (var part in await PendingAsync(connection, ct))
            if (part.IsConcurrent)
            {
                await ApplyBesideAsync(connection, part, ct);
                await RecordAsync(connection, part, ct);
            }
            else
                await ApplyShortlyAsync(connection, part, ct);
        if (parts.FirstOrDefault(part => part.Name == LogIndexes) is { } indexes)
            await ApplyBesideAsync(connection, indexes, ct);
    }

    /// <summary>
    /// Applies a concurrent part. An index that is built beside writes waits for every older transaction to end.
    /// </summary>
    static async Task ApplyBesideAsync(NpgsqlConnection connection, SchemaPart part, CancellationToken ct)
    {
        try
        {
            await ExecuteAsync(connection, $"set lock_timeout = {LockPatience.TotalMilliseconds:F0}", ct);
            await part.ApplyAsync(connection, ct);
            await ExecuteAsync(connection, "reset lock_timeout", ct);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable)
        {
            throw HeldUp(part);
        }
    }

    /// <summary>
    /// Applies a part in a transaction. While it waits for a lock, everything that comes after it waits too, so it gives up
    /// soon and tries again.
    /// </summary>
    static async Task ApplyShortlyAsync(NpgsqlConnection connection, SchemaPart part, CancellationToken ct)
    {
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(LockPause, ct))
            try
            {
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await ExecuteAsync(connection, $"set local lock_timeout = {LockWait.TotalMilliseconds:F0}", ct);
                await part.ApplyAsync(connection, ct);
                await RecordAsync(connection, part, ct);
                await transaction.CommitAsync(ct);
                return;
            }
            // Marten wraps what the driver throws.
            catch (Exception e)
                when (e.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.LockNotAvailable })
            {
                if (watch.Elapsed > LockPatience)
                    throw HeldUp(part);
            }
    }

    static StoreUnavailableException HeldUp(SchemaPart part) =>
        new(
            $"{part.Name} has waited {LockPatience.TotalSeconds} s for another transaction: "
                + "look at pg_stat_activity for the oldest one, such as a backup or a report."
        );

    static Task RecordAsync(NpgsqlConnection connection, SchemaPart part, CancellationToken ct) =>
        ExecuteAsync(
            connection,
            "insert into public.schema_scripts (name, checksum) values ($1, $2)",
            ct,
            part.Name,
            part.Checksum
        );

    /// <summary>The parts this database still lacks, for a node that may not apply them itself.</summary>
    /// <exception cref="ConfigurationException">A part has changed since it was applied.</exception>
    public async Task<IReadOnlyList<string>> PendingAsync(CancellationToken ct)
    {
        await using var connection = await OpenAsync(ct);
        return [.. (await PendingAsync(connection, ct)).Select(part => part.Name)];
    }

    async Task<List<SchemaPart>> PendingAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var applied = await AppliedAsync(connection, ct);
        if (
            parts.FirstOrDefault(part => (applied.GetValueOrDefault(part.Name) ?? part.Checksum) != part.Checksum) is
            { } changed
        )
            throw new ConfigurationException(
                $"{changed.Name} has changed since it was applied to this database: "
                    + "restore its text, or start the release that applied it."
            );
        return [.. parts.Where(part => !applied.ContainsKey(part.Name))];
    }

    /// <summary>The checksum of every part that was applied; null for those that older releases recorded.</summary>
    static async Task<Dictionary<string, string?>> AppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var applied = new Dictionary<string, string?>();
        if (await ScalarAsync(connection, "select to_regclass('public.schema_scripts') is null", ct) is true)
            return applied;
        // As JSON, since a database of an older release has no such column yet.
        await using var recorded = new NpgsqlCommand(
            "select name, to_jsonb(s) ->> 'checksum' from public.schema_scripts s",
            connection
        );
        await using var reader = await recorded.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            applied.Add(reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1));
        return applied;
    }

    /// <summary>
    /// Makes the table of what was applied, and records the checksums that older releases have not recorded. The table is
    /// locked only where it changes: a backup that runs for hours must not keep nodes from starting.
    /// </summary>
    async Task PrepareRecordsAsync(NpgsqlConnection connection, CancellationToken ct)
    {
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
        const string isThere = """
            select exists (select from pg_attribute where attrelid = 'public.schema_scripts'::regclass and attname = 'checksum')
            """;
        if (await ScalarAsync(connection, isThere, ct) is not true)
            await ExecuteAsync(connection, "alter table public.schema_scripts add column checksum text", ct);
        foreach (var part in parts)
            await ExecuteAsync(
                connection,
                "update public.schema_scripts set checksum = $2 where name = $1 and checksum is null",
                ct,
                part.Name,
                part.Checksum
            );
    }

    async Task<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        // Not from the pool, so that closing it ends the session and with it the lock.
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(ct);
        return connection;
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
        throw new StoreUnavailableException(
            $"Another node has been applying the schema for more than {LockPatience.TotalSeconds} s. "
                + "Look at pg_locks for an advisory lock."
        );
    }

    static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(ct);
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
}
