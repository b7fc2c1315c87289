namespace Resources.Grains;

/// <summary>
/// Looks where streams are. Those that are asked for while a query is under way share the next one, so that a node that
/// compares every grain's memory asks the database seldom; none is answered by a query that began before it was asked.
/// </summary>
sealed class StreamHeads(LogDb db)
{
    readonly Lock gate = new();
    Batch? gathering;
    Task last = Task.CompletedTask;

    /// <summary>The version and position that a stream is at; (0, 0) when it has no event.</summary>
    public async Task<(long Version, long Position)> OfAsync(Guid stream)
    {
        Batch batch;
        lock (gate)
        {
            if (gathering is null)
            {
                gathering = new();
                last = gathering.Heads = ReadAsync(gathering, last);
            }
            batch = gathering;
            batch.Streams.Add(stream);
        }
        return (await batch.Heads).GetValueOrDefault(stream);
    }

    async Task<Dictionary<Guid, (long, long)>> ReadAsync(Batch batch, Task before)
    {
        // Whoever is the first of a batch holds the gate.
        await Task.Yield();
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Guid[] streams;
        lock (gate)
        {
            gathering = null;
            streams = [.. batch.Streams];
        }
        return await db.ReadAsync(
            """
            select id, version, seq_id from unnest($1) asked(id)
            cross join lateral (select version, seq_id from mt_events where stream_id = asked.id order by version desc limit 1) head
            """,
            [Arg.Of(streams)],
            static async (reader, ct) =>
            {
                var heads = new Dictionary<Guid, (long, long)>();
                while (await reader.ReadAsync(ct))
                    heads[reader.GetGuid(0)] = (reader.GetInt64(1), reader.GetInt64(2));
                return heads;
            }
        );
    }

    sealed class Batch
    {
        public HashSet<Guid> Streams { get; } = [];
        public Task<Dictionary<Guid, (long, long)>> Heads { get; set; } = null!;
    }
}
