using System.Diagnostics;

namespace Resources.Cluster.Tests;

/// <summary>The order of the log: a reader that has seen position p never finds a new event at or below p.</summary>
public sealed class EventOrderTests(LogDatabase database) : IClassFixture<LogDatabase>
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Polling_reader_misses_nothing_beside_slow_and_aborted_transactions()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage($"seed {seed}");
        await using var one = await database.StartLogAsync();
        await using var two = await database.StartLogAsync();
        await using var three = await database.StartLogAsync();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);

        async Task AppendAsync(StandaloneLog node)
        {
            while (!enough.IsCancellationRequested)
                Assert.NotNull(await node.AppendAsync(Guid.CreateVersion7(), 0, "a", "b", "c"));
        }

        var seen = new List<long>();
        async Task PollAsync()
        {
            while (!enough.IsCancellationRequested)
                await ReadOnAsync(seen);
        }

        Task[] running =
        [
            .. new[] { one, two, three }.SelectMany(node => Enumerable.Range(0, 4).Select(_ => AppendAsync(node))),
            PollAsync(),
        ];
        var stranger = new Stranger(database, new Random(seed));
        for (
            var watch = Stopwatch.StartNew();
            watch.Elapsed < TimeSpan.FromSeconds(6) && !running.Any(task => task.IsFaulted);

        )
            await stranger.ActAsync(Cancelled);
        await enough.CancelAsync();
        await Task.WhenAll(running);

        await ReadOnAsync(seen);
        var stored = (long[])(await database.ExecuteAsync("select array_agg(seq_id order by seq_id) from mt_events"))!;
        TestContext.Current.SendDiagnosticMessage(
            $"{stored.Length} events, {stranger.Slow} slow transactions, {stranger.Aborted} aborted"
        );
        Assert.True(
            stored.SequenceEqual(seen),
            $"seed {seed}: {stored.Except(seen).Count()} events missed of {stored.Length}"
        );
        Assert.True(
            stranger.Slow > 3 && stranger.Aborted > 3,
            $"{stranger.Slow} slow transactions, {stranger.Aborted} aborted"
        );
        Assert.True(stored[^1] > stored.Length, "An aborted transaction leaves a gap.");
    }

    [Fact]
    public async Task No_event_becomes_visible_ahead_of_an_open_transaction_with_lower_positions()
    {
        await using var node = await database.StartLogAsync();
        await using var connection = await database.Source.OpenConnectionAsync(Cancelled);
        await using var transaction = await connection.BeginTransactionAsync(Cancelled);
        var slow = (await new AppendCall((Guid.CreateVersion7(), 0, [Guid.CreateVersion7()])).RunAsync(connection))[
            0
        ].Positions!;

        var later = node.AppendAsync(Guid.CreateVersion7(), 0, "later");
        Assert.True((long)(await database.ExecuteAsync("select coalesce(max(seq_id), 0) from mt_events"))! < slow[0]);
        Assert.False(later.IsCompleted);
        await transaction.CommitAsync(Cancelled);

        Assert.True((await later)!.Positions[0] > slow[0]);
    }

    [Fact]
    public async Task Direct_insert_waits_for_transactions_with_allocated_positions()
    {
        await using var connection = await database.Source.OpenConnectionAsync(Cancelled);
        await using var transaction = await connection.BeginTransactionAsync(Cancelled);
        var slow = (await new AppendCall((Guid.CreateVersion7(), 0, [Guid.CreateVersion7()])).RunAsync(connection))[
            0
        ].Positions!;
        var stream = Guid.CreateVersion7();
        await database.ExecuteAsync("insert into mt_streams (id, version) values ($1, 1)", stream);
        var by = database.ExecuteAsync(
            """
            insert into mt_events (seq_id, id, stream_id, version, data, type) values (nextval('mt_events_sequence'), gen_random_uuid(), $1, 1, '{}', 'resource.stranger') returning seq_id
            """,
            stream
        );
        Assert.NotSame(by, await Task.WhenAny(by, Task.Delay(TimeSpan.FromMilliseconds(300), Cancelled)));
        await transaction.CommitAsync(Cancelled);

        Assert.True((long)(await by)! > slow[0]);
        // Nor does what it left out, a beginning and an actor among it, stop those who read the log.
        var read = await database.ExecuteAsync(
            "select actor || '.' || resource_type || '.' || owner from read_log_page(0, 1000000, 1000000, 1000000, null, "
                + "null, null, null, null, null, null, null) where stream_id = $1",
            stream
        );
        Assert.Equal("..", read);
    }

    async Task ReadOnAsync(List<long> seen)
    {
        await using var command = database.Source.CreateCommand(
            "select seq_id from mt_events where seq_id > $1 order by seq_id"
        );
        command.Parameters.Add(new() { Value = seen is [.., var last] ? last : 0L });
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        while (await row.ReadAsync(Cancelled))
            seen.Add(row.GetInt64(0));
    }

    /// <summary>A client with a console that appends in a slow transaction, and commits or aborts.</summary>
    sealed class Stranger(LogDatabase database, Random random)
    {
        public int Slow { get; private set; }
        public int Aborted { get; private set; }

        public async Task ActAsync(CancellationToken ct)
        {
            await using var connection = await database.Source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            var appended = await new AppendCall(
                (Guid.CreateVersion7(), 0, [Guid.CreateVersion7(), Guid.CreateVersion7()])
            ).RunAsync(connection);
            Assert.True(appended[0].Appended);
            await Task.Delay(random.Next(300), ct);
            if (random.Next(2) is 0)
            {
                await transaction.RollbackAsync(ct);
                Aborted++;
            }
            else
            {
                await transaction.CommitAsync(ct);
                Slow++;
            }
            await Task.Delay(random.Next(100), ct);
        }
    }
}
