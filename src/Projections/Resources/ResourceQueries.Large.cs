using System.Data;
using Npgsql;

namespace Resources.Projections;

/// <summary>Reading rows of which few fit into memory.</summary>
public sealed partial class ResourceQueries
{
    /// <summary>
    /// A page by a cursor, some rows at a time: PostgreSQL makes few rows that there is no room for, and mostly none.
    /// </summary>
    /// <param name="takesLong">Whether it may take any time; the caller ends it where the database is away.</param>
    static async Task<ResourcePage> ReadLargeAsync(
        NpgsqlConnection connection,
        Func<NpgsqlParameterCollection, string> write,
        int limit,
        ByteBudget budget,
        CancellationToken ct,
        bool takesLong
    )
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var declare = new NpgsqlBatchCommand();
        declare.CommandText = "declare page no scroll cursor for " + write(declare.Parameters);
        var first = await FetchAsync(declare, new("fetch 1 from page"));
        var rows = first.Rows.ToList();
        var isOver = rows is [];
        while (!isOver && rows.Count < limit && !budget.IsSpent)
        {
            // Never more than there are: those to come may be larger than those before.
            var next = Math.Clamp(budget.RoomFor, 1, Math.Min(rows.Count, limit - rows.Count));
            var more = await FetchAsync(new NpgsqlBatchCommand($"fetch {next} from page"));
            rows.AddRange(more.Rows);
            isOver = more.Rows.Count < next;
        }
        return first with
        {
            Rows = rows,
            IsCut = budget.WasExceeded || !isOver && rows.Count < limit && await HasMoreAsync(),
        };

        NpgsqlBatch NewBatch() => new(connection, transaction) { Timeout = takesLong ? 0 : connection.CommandTimeout };

        async Task<ResourcePage> FetchAsync(params NpgsqlBatchCommand[] commands)
        {
            await using var batch = NewBatch();
            foreach (var command in commands)
                batch.BatchCommands.Add(command);
            await using var reader = await batch.ExecuteReaderAsync(ct);
            var page = await ReadAsync(reader, budget, ct);
            if (page.IsCut)
                await BreakOffAsync(reader, batch.Cancel);
            return page;
        }

        async Task<bool> HasMoreAsync()
        {
            await using var batch = NewBatch();
            var move = new NpgsqlBatchCommand("move 1 from page");
            batch.BatchCommands.Add(move);
            await batch.ExecuteNonQueryAsync(ct);
            return move.Rows > 0;
        }
    }

    /// <summary>
    /// Reads the rows of a selection from one snapshot, the newest first, and returns its position. Where the view has not
    /// come as far as is wanted there are no rows.
    /// </summary>
    /// <param name="size">How many rows are read at a time. None is kept.</param>
    /// <param name="look">Takes a row.</param>
    /// <param name="goesOn">Whether to go on after so many rows, or the last ones. It may ask for more of the snapshot.</param>
    public Task<long> WalkAsync(
        ResourceSelection selection,
        long wanted,
        int size,
        Action<ResourceRow> look,
        Func<NpgsqlConnection, bool, Task<bool>> goesOn,
        CancellationToken ct
    ) =>
        RunAsync(
            searches,
            async (connection, token) =>
            {
                await using var transaction = await connection.BeginTransactionAsync(
                    IsolationLevel.RepeatableRead,
                    token
                );
                var declare = new NpgsqlBatchCommand();
                declare.CommandText =
                    "declare walk no scroll cursor for "
                    + ResourceSql.Page(
                        declare.Parameters,
                        selection,
                        ResourceSort.Newest,
                        null,
                        int.MaxValue,
                        counting: false,
                        wanted
                    );
                var budget = new ByteBudget(long.MaxValue);
                var position = 0L;
                for (var first = declare; ; first = null)
                {
                    var count = 0;
                    await using (var batch = new NpgsqlBatch(connection, transaction))
                    {
                        if (first is not null)
                            batch.BatchCommands.Add(first);
                        batch.BatchCommands.Add(new($"fetch {size} from walk"));
                        await using var reader = await batch.ExecuteReaderAsync(token);
                        for (; await reader.ReadAsync(token); count++)
                        {
                            position = reader.GetInt64(0);
                            if (reader.IsDBNull(4))
                                break;
                            look(ReadRow(reader, 4, budget));
                        }
                    }
                    var isLast = count < size;
                    if (!await goesOn(connection, isLast) || isLast)
                        return position;
                }
            },
            ct
        );

    /// <summary>Ends a query whose other rows nobody wants; they may be large.</summary>
    static async Task BreakOffAsync(NpgsqlDataReader reader, Action cancel)
    {
        // The driver opens a connection for that and waits for it, which would keep a thread from requests.
        await Task.Factory.StartNew(
            cancel,
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        try
        {
            await reader.DisposeAsync();
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.QueryCanceled)
        {
            // As was asked.
        }
    }

    /// <summary>How much more a reader may take into memory.</summary>
    sealed class ByteBudget(long bytes)
    {
        long left = bytes;
        long largest = 1;

        public bool WasExceeded { get; private set; }

        public bool IsSpent => left <= 0;

        /// <summary>Rows that there is room for, were each as large as the largest so far.</summary>
        public int RoomFor => (int)Math.Clamp(left / largest, 0, int.MaxValue);

        /// <summary>Whether there is a row for which nothing is left.</summary>
        public bool IsExceeded() => WasExceeded = IsSpent;

        public void Spend(int count)
        {
            left -= count;
            largest = Math.Max(largest, count);
        }
    }
}
