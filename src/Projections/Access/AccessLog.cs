using Resources.Grains;

namespace Resources.Projections;

/// <summary>An event that changes who may do what, where it happened.</summary>
/// <param name="Data">Null when this process does not know the kind: a node of the next release may write it.</param>
public sealed record AccessEvent(string Kind, object? Data, Guid Stream, long Version, DateTimeOffset At);

/// <summary>Reads the part of the log that changes who may do what.</summary>
public sealed class AccessLog(ControlDb db, ReadIndex index, EventKinds kinds)
{
    const int PageSize = 1_000;

    const string Columns = "select seq_id, stream_id, version, timestamp, type, data::text from mt_events where";

    /// <summary>Every event of the roles, in order.</summary>
    public async Task<IReadOnlyList<AccessEvent>> RolesAsync(CancellationToken ct) =>
        [
            .. (await ReadAsync($"{Columns} stream_id = $1 order by version", ct, RoleBook.Id)).Select(read =>
                read.Event
            ),
        ];

    /// <summary>The events since a time, in order, and the position that was read to.</summary>
    public async Task<(IReadOnlyList<AccessEvent> Events, long Reached)> SinceAsync(
        DateTimeOffset since,
        CancellationToken ct
    )
    {
        var head = await index.HeadAsync(ct);
        var found = new List<AccessEvent>();
        // From the head backwards: how far that goes is known by the events only.
        for (var before = head + 1; ; )
        {
            var page = await ReadAsync(
                $"{Columns} changes_access(type) and seq_id < $1 order by seq_id desc limit {PageSize}",
                ct,
                before
            );
            found.AddRange(page.TakeWhile(read => read.Event.At >= since).Select(read => read.Event));
            if (page.Count < PageSize || page[^1].Event.At < since)
                break;
            before = page[^1].Position;
        }
        found.Reverse();
        return (found, head);
    }

    /// <summary>
    /// The next events after a position, and the position up to which there are no others; the same position when there
    /// is nothing new.
    /// </summary>
    public async Task<(IReadOnlyList<AccessEvent> Events, long Reached)> AfterAsync(long position, CancellationToken ct)
    {
        // Learnt before the events are read: none below it can come later.
        var head = await index.HeadAsync(ct);
        if (head <= position)
            return ([], position);
        var page = await ReadAsync($"select * from read_access($1, {PageSize})", ct, position);
        return (
            [.. page.Select(read => read.Event)],
            page.Count == PageSize ? page[^1].Position : Math.Max(head, page.Count > 0 ? page[^1].Position : 0)
        );
    }

    Task<List<(long Position, AccessEvent Event)>> ReadAsync<T>(string sql, CancellationToken ct, T argument) =>
        db.QueryAsync<(long, AccessEvent)>(
            sql,
            [Arg.Of(argument)],
            reader =>
                (
                    reader.GetInt64(0),
                    new(
                        reader.GetString(4),
                        kinds.Read(reader.GetString(4), reader.GetString(5)),
                        reader.GetGuid(1),
                        reader.GetInt64(2),
                        reader.GetFieldValue<DateTimeOffset>(3)
                    )
                ),
            ct
        );
}
