using System.Data;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// One moment of the read model, of which several reads are: a transaction that sees what was there when its first
/// statement began. Its reads come one after the other.
/// </summary>
public sealed class ResourceMoment(SearchesDb db) : IAsyncDisposable
{
    const string BeforeReads = "before_reads";

    readonly SemaphoreSlim turn = new(1);
    NpgsqlConnection? connection;
    NpgsqlTransaction? transaction;

    /// <summary>The transaction, while something is read.</summary>
    internal NpgsqlTransaction? Transaction => transaction;

    internal async Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> read, CancellationToken ct)
    {
        await turn.WaitAsync(ct);
        var hasBegun = false;
        try
        {
            return await db.WhileAvailableAsync(
                async ct =>
                {
                    hasBegun = true;
                    // Whoever waits may give up before this ends, which uses the connection until then.
                    using (new Turn(turn))
                        return await ReadAsync(read, ct);
                },
                ct
            );
        }
        finally
        {
            if (!hasBegun)
                turn.Release();
        }
    }

    async Task<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> read, CancellationToken ct)
    {
        connection ??= await db.OpenAsync(ct);
        if (transaction is null)
        {
            transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
            // Sent with the first statement. Reads change nothing and hold nothing for others, so that
            // each of them can go back to it.
            await transaction.SaveAsync(BeforeReads, ct);
        }
        try
        {
            return await read(connection, ct);
        }
        catch when (connection.FullState is ConnectionState.Open)
        {
            // The other reads of the moment go on.
            await UndoAsync();
            throw;
        }
    }

    sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }

    /// <summary>Has the transaction go on behind a statement that failed or was broken off.</summary>
    internal Task UndoAsync() => transaction!.RollbackAsync(BeforeReads, CancellationToken.None);

    /// <summary>Ends the moment: the next read is of a later one.</summary>
    public async Task EndAsync()
    {
        await turn.WaitAsync();
        try
        {
            if (transaction is not null)
                await transaction.DisposeAsync();
            transaction = null;
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Whoever is given up may still be reading.
        await turn.WaitAsync();
        if (transaction is not null)
            await transaction.DisposeAsync();
        if (connection is not null)
            await connection.DisposeAsync();
        turn.Dispose();
    }
}
