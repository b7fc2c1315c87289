using Marten;
using Npgsql;

namespace Resources.Grains;

/// <summary>
/// One of the node's connection pools. Each role has its own type, so that a constructor says where its queries run,
/// and no role can use up the connections of another.
/// </summary>
public abstract class Db(NpgsqlDataSource source, StoreContact contact)
{
    /// <summary>Reads every row of a query.</summary>
    /// <exception cref="StoreUnavailableException">The database is away, or this pool is exhausted.</exception>
    public Task<List<T>> QueryAsync<T>(
        string sql,
        NpgsqlParameter[] arguments,
        Func<NpgsqlDataReader, T> map,
        CancellationToken ct = default
    ) =>
        ReadAsync(
            sql,
            arguments,
            async (reader, ct) =>
            {
                var rows = new List<T>();
                while (await reader.ReadAsync(ct))
                    rows.Add(map(reader));
                return rows;
            },
            ct
        );

    /// <summary>Runs a query whose rows need more than one function for each.</summary>
    /// <inheritdoc cref="QueryAsync"/>
    public Task<T> ReadAsync<T>(
        string sql,
        NpgsqlParameter[] arguments,
        Func<NpgsqlDataReader, CancellationToken, Task<T>> read,
        CancellationToken ct = default
    ) =>
        RunAsync(
            async (connection, ct) =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                command.Parameters.AddRange(arguments);
                await using var reader = await command.ExecuteReaderAsync(ct);
                return await read(reader, ct);
            },
            ct
        );

    /// <summary>Runs a statement; returns how many rows it changed.</summary>
    /// <inheritdoc cref="QueryAsync"/>
    public Task<int> ExecuteAsync(string sql, NpgsqlParameter[] arguments, CancellationToken ct = default) =>
        RunAsync(
            async (connection, ct) =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                command.Parameters.AddRange(arguments);
                return await command.ExecuteNonQueryAsync(ct);
            },
            ct
        );

    /// <summary>Reads the first value of a query's first row; the default of the type when there is none.</summary>
    /// <inheritdoc cref="QueryAsync"/>
    public Task<T?> ScalarAsync<T>(string sql, NpgsqlParameter[] arguments, CancellationToken ct = default) =>
        RunAsync(
            async (connection, ct) =>
            {
                await using var command = new NpgsqlCommand(sql, connection);
                command.Parameters.AddRange(arguments);
                return await command.ExecuteScalarAsync(ct) is not (null or DBNull) and var value ? (T)value : default;
            },
            ct
        );

    /// <summary>Runs work that needs several statements, or a transaction, on one connection.</summary>
    /// <inheritdoc cref="QueryAsync"/>
    public Task<T> RunAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> work,
        CancellationToken ct = default
    ) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                await using var connection = await OpenAsync(ct);
                return await work(connection, ct);
            },
            ct
        );

    /// <summary>Runs work on a connection that is open already, as long as the database is there.</summary>
    /// <exception cref="StoreUnavailableException">It is away.</exception>
    public Task<T> WhileAvailableAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken ct) =>
        contact.WhileAvailableAsync(work, ct);

    /// <summary>Opens a connection that its user keeps for longer than some statements.</summary>
    /// <exception cref="StoreOverloadedException">The pool is exhausted although the database answers.</exception>
    public async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken ct)
    {
        try
        {
            return await source.OpenConnectionAsync(ct);
        }
        catch (NpgsqlException e) when (IsExhaustion(e) && contact.IsAvailable)
        {
            throw Exhausted();
        }
    }

    /// <summary>Has Marten take its connections from this pool.</summary>
    public void Serve(StoreOptions options) => options.Connection(source);

    /// <summary>Closes the connections of the pool, those in use as soon as they come back.</summary>
    public void Clear() => source.Clear();

    /// <summary>What a caller gets who has waited in vain for a connection.</summary>
    protected virtual StoreOverloadedException Exhausted() =>
        new($"Every connection of {GetType().Name} has been in use for seconds.");

    /// <summary>The driver says this by its text alone; it has the type of a server that does not answer.</summary>
    static bool IsExhaustion(NpgsqlException e) =>
        e.Message.StartsWith("The connection pool has been exhausted", StringComparison.Ordinal);
}
