using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>
/// The log on a real PostgreSQL: an append reports the truth, whatever happens to others and to the connection.
/// </summary>
public sealed class EventLogTests(LogDatabase database) : IClassFixture<LogDatabase>
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Concurrent_appends_on_two_nodes_return_their_own_positions()
    {
        await using var one = await database.StartLogAsync();
        await using var two = await database.StartLogAsync();
        var streams = Enumerable.Range(0, 60).Select(_ => Guid.CreateVersion7()).ToArray();

        var answers = await Task.WhenAll(
            streams.Select((stream, i) => (i % 2 is 0 ? one : two).AppendAsync(stream, 0, $"{i} a", $"{i} b"))
        );

        for (var i = 0; i < streams.Length; i++)
        {
            Assert.Equal([$"{i} a", $"{i} b"], await database.NamesAsync(streams[i]));
            Assert.Equal(
                answers[i]!.Positions,
                (long[])
                    (
                        await database.ExecuteAsync(
                            "select array_agg(seq_id order by version) from mt_events where stream_id = $1",
                            streams[i]
                        )
                    )!
            );
            Assert.Equal((2, answers[i]!.Positions[1]), await one.Log.HeadAsync(streams[i]));
        }
        Assert.Equal(120, answers.SelectMany(answer => answer!.Positions).Distinct().Count());
    }

    [Fact]
    public async Task Stale_version_fails_only_its_own_stream()
    {
        await using var node = await database.StartLogAsync();
        var moved = Guid.CreateVersion7();
        var fresh = Guid.CreateVersion7();
        var known = Guid.CreateVersion7();
        Assert.NotNull(await node.AppendAsync(moved, 0, "first"));
        Assert.NotNull(await node.AppendAsync(known, 0, "first"));

        // One batch: all three wait together while the log's lock is held elsewhere.
        Task<Appended?>[] appends;
        await using (await database.HoldLockAsync())
        {
            appends =
            [
                node.AppendAsync(fresh, 0, "new"),
                node.AppendAsync(moved, 0, "stale"),
                node.AppendAsync(known, 1, "second", "third"),
            ];
        }
        var answers = await Task.WhenAll(appends);

        Assert.Null(answers[1]);
        Assert.Equal(["new"], await database.NamesAsync(fresh));
        Assert.Equal(["first"], await database.NamesAsync(moved));
        Assert.Equal(["first", "second", "third"], await database.NamesAsync(known));
        Assert.Null(await node.AppendAsync(moved, 7, "ahead"));
    }

    [Fact]
    public async Task Event_rejected_by_the_database_fails_alone()
    {
        await using var node = await database.StartLogAsync();
        var streams = Enumerable.Range(0, 5).Select(_ => Guid.CreateVersion7()).ToArray();

        Task<Appended?>[] appends;
        await using (await database.HoldLockAsync())
        {
            // PostgreSQL's jsonb takes no NUL.
            appends = [.. streams.Select((stream, i) => node.AppendAsync(stream, 0, i is 2 ? "\0" : "good"))];
        }

        await Assert.ThrowsAsync<PostgresException>(() => appends[2]);
        foreach (var i in new[] { 0, 1, 3, 4 })
        {
            Assert.NotNull(await appends[i]);
            Assert.Equal(["good"], await database.NamesAsync(streams[i]));
        }
        Assert.Empty(await database.NamesAsync(streams[2]));
    }

    [Fact]
    public async Task Batch_sent_twice_is_stored_once_and_gets_the_same_result()
    {
        await using var node = await database.StartLogAsync();
        var refused = Guid.CreateVersion7();
        var other = Guid.CreateVersion7();
        var fresh = Guid.CreateVersion7();
        await node.AppendAsync(refused, 0, "there before");
        await node.AppendAsync(other, 0, "there before");
        Guid[] Ids(int count) => [.. Enumerable.Range(0, count).Select(_ => Guid.CreateVersion7())];
        var call = new AppendCall((refused, 0, Ids(2)), (fresh, 0, Ids(3)), (other, 1, Ids(1)));
        await using var connection = await database.Source.OpenConnectionAsync(Cancelled);

        var first = await call.RunAsync(connection);
        // The stream moves on in between; the repetition still finds its own events.
        await node.AppendAsync(other, 2, "after");
        var second = await call.RunAsync(connection);

        Assert.Equal([false, true, true], first.Select(outcome => outcome.Appended));
        Assert.Equal([false, true, true], second.Select(outcome => outcome.Appended));
        Assert.Equal([3, 1], second.Skip(1).Select(outcome => outcome.Positions!.Length));
        for (var i = 1; i < 3; i++)
            Assert.Equal(first[i].Positions, second[i].Positions);
        Assert.Equal(1L, first[0].Version);
        Assert.Equal(3, (await database.NamesAsync(fresh)).Length);
        Assert.Equal(3, (await database.NamesAsync(other)).Length);
        Assert.Single(await database.NamesAsync(refused));
    }

    [Fact]
    public async Task Failed_commit_is_never_reported_as_success()
    {
        await database.ExecuteAsync(
            """
            create function refuse_at_commit() returns trigger language plpgsql as $$
            begin
                raise exception 'refused at the commit';
            end $$;
            create constraint trigger refuse_at_commit after insert on mt_events deferrable initially deferred
            for each row when (new.data ->> 'name' = 'refused at the commit') execute function refuse_at_commit();
            """
        );
        await using var node = await database.StartLogAsync();
        var alone = Guid.CreateVersion7();
        var together = Guid.CreateVersion7();
        var neighbour = Guid.CreateVersion7();

        await Assert.ThrowsAsync<PostgresException>(() => node.AppendAsync(alone, 0, "refused at the commit"));
        Task<Appended?> bad,
            good;
        await using (await database.HoldLockAsync())
        {
            // The first takes the way to the lock; the others gather behind it.
            _ = node.AppendAsync(Guid.CreateVersion7(), 0, "first");
            bad = node.AppendAsync(together, 0, "refused at the commit");
            good = node.AppendAsync(neighbour, 0, "good");
        }

        await Assert.ThrowsAsync<PostgresException>(() => bad);
        Assert.NotNull(await good);
        Assert.Empty(await database.NamesAsync(alone));
        Assert.Empty(await database.NamesAsync(together));
        Assert.Equal(["good"], await database.NamesAsync(neighbour));
    }

    [Fact]
    public async Task Killed_connections_during_appends_and_commits_leave_exact_results()
    {
        const string Victim = "victim";
        // A slow commit, so that many of the kills fall into it.
        await database.ExecuteAsync(
            """
            create function linger_at_commit() returns trigger language plpgsql as $$
            begin
                perform pg_sleep(0.003);
                return null;
            end $$;
            create constraint trigger linger_at_commit after insert on mt_events deferrable initially deferred
            for each row when (new.data ->> 'name' like 'lingering %') execute function linger_at_commit();
            """
        );
        await using var node = await database.StartLogAsync(Victim);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var committed = new ConcurrentDictionary<Guid, List<string>>();
        var refused = new ConcurrentBag<(Guid Stream, string Name)>();
        var unknown = 0;

        async Task WriteAsync()
        {
            var stream = Guid.CreateVersion7();
            var version = 0L;
            var mine = committed[stream] = [];
            for (var i = 0; !enough.IsCancellationRequested; i++)
            {
                var name = $"lingering {i}";
                try
                {
                    if (await node.AppendAsync(stream, version, name) is null)
                        refused.Add((stream, name));
                    else
                        mine.Add(name);
                    version += mine is [.., var last] && last == name ? 1 : 0;
                }
                catch (StoreUnavailableException)
                {
                    // Unknown: the stream itself says whether it took place. Its appends may still be on their way.
                    Interlocked.Increment(ref unknown);
                    stream = Guid.CreateVersion7();
                    version = 0;
                    mine = committed[stream] = [];
                    await Task.Delay(1, Cancelled);
                }
            }
        }
        var writers = Enumerable.Range(0, 8).Select(_ => WriteAsync()).ToArray();

        var killed = 0L;
        for (
            var watch = Stopwatch.StartNew();
            killed < 50 && watch.Elapsed < TimeSpan.FromSeconds(15);
            await Task.Delay(Random.Shared.Next(20, 200), Cancelled)
        )
            killed += (long)
                (
                    await database.ExecuteAsync(
                        """
                        select count(pg_terminate_backend(pid)) from pg_stat_activity
                        where datname = current_database() and application_name = $1
                            and state = 'active' and query like '%append_events%'
                        """,
                        Victim
                    )
                )!;
        await enough.CancelAsync();
        await Task.WhenAll(writers);

        TestContext.Current.SendDiagnosticMessage(
            $"{killed} connections killed, {committed.Values.Sum(names => names.Count)} appends answered, {unknown} unknown"
        );
        Assert.True(killed >= 20, $"Only {killed} connections were killed.");
        Assert.Empty(refused);
        foreach (var (stream, names) in committed)
        {
            var stored = await database.NamesAsync(stream);
            // What was answered is there once and in order; at most the last append, whose outcome nobody was told,
            // comes on top.
            Assert.Equal(names, stored.Take(names.Count));
            Assert.InRange(stored.Length - names.Count, 0, 1);
        }
    }

    [Fact]
    public async Task Events_record_actor_cause_and_time_and_time_never_decreases_in_a_stream()
    {
        await using var node = await database.StartLogAsync();
        var stream = Guid.CreateVersion7();
        var intent = new Intent(Guid.CreateVersion7(), "who", "trace", "print", Conditions.None);
        var before = DateTimeOffset.UtcNow.AddSeconds(-1);

        var first = await node.Log.AppendAsync(stream, 0, [new ResourceRenamed("one")], intent);
        // As if the database's clock had been set back by an hour since the first event.
        await database.ExecuteAsync(
            "update mt_streams set timestamp = timestamp + interval '1 hour' where id = $1",
            stream
        );
        var second = await node.AppendAsync(stream, 1, "two");

        var stored = await node.Log.ReadAsync(stream);
        Assert.Equal(
            ("who", "trace", intent.CommandId.ToString()),
            (stored[0].UserName, stored[0].CorrelationId, stored[0].CausationId)
        );
        Assert.Equal("print", stored[0].Headers!["fingerprint"].ToString());
        Assert.InRange(first!.At, before, DateTimeOffset.UtcNow.AddSeconds(1));
        Assert.Equal(first.At, stored[0].Timestamp);
        Assert.True(second!.At >= first.At.AddHours(1), $"{second.At:O} is before {first.At.AddHours(1):O}");
        Assert.Equal((1, "print"), await node.Log.FindCommandAsync(stream, 1, intent));
        Assert.Null(await node.Log.FindCommandAsync(stream, 1, intent with { CommandId = Guid.CreateVersion7() }));
    }
}
