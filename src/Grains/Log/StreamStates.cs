namespace Resources.Grains;

/// <summary>The states of several streams, in two queries for all.</summary>
public sealed class StreamStates(Snapshots snapshots, EventKinds kinds)
{
    /// <summary>Folds streams of one kind; those without an event are left out.</summary>
    /// <param name="db">The pool of the caller.</param>
    /// <param name="isExact">Whether events of kinds that this node does not know are a fault; else they are left out.</param>
    /// <exception cref="StoreUnavailableException">A node of the next release has written such an event.</exception>
    public async Task<Dictionary<Guid, Snapshot<TState>>> FoldAsync<TState, TEvent>(
        Db db,
        Guid[] streams,
        Func<TState?, Recorded<TEvent>, TState> evolve,
        CancellationToken ct,
        bool isExact = false
    )
        where TState : class
        where TEvent : class
    {
        var states = await snapshots.LoadAsync<TState>(db, streams, ct);
        var versions = Array.ConvertAll(streams, id => states.TryGetValue(id, out var saved) ? saved.Version : 0);
        return await db.ReadAsync(
            """
            select e.stream_id, e.version, e.seq_id, e.timestamp, coalesce(e.user_name, ''), e.type, e.data::text
            from unnest($1, $2) as s(id, version) join mt_events e on e.stream_id = s.id and e.version > s.version order by e.stream_id, e.version
            """,
            [Arg.Of(streams), Arg.Of(versions)],
            async (reader, ct) =>
            {
                while (await reader.ReadAsync(ct))
                {
                    var stream = reader.GetGuid(0);
                    // A node of the next release may write kinds that this one cannot show.
                    if (kinds.Read(reader.GetString(5), reader.GetString(6)) is not TEvent data)
                        if (isExact)
                            throw new StoreUnavailableException("This node cannot read what another one has written.");
                        else
                            continue;
                    var recorded = new Recorded<TEvent>(
                        data,
                        reader.GetInt64(1),
                        reader.GetInt64(2),
                        reader.GetFieldValue<DateTimeOffset>(3),
                        reader.GetString(4)
                    );
                    var before = states.GetValueOrDefault(stream)?.State;
                    states[stream] = new(evolve(before, recorded), recorded.Version, recorded.Position);
                }
                return states;
            },
            ct
        );
    }
}
