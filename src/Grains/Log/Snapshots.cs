using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Resources.Grains;

/// <summary>
/// States of long streams, saved now and then so that an activation reads few events. Only a saving of time: the log
/// has it all.
/// </summary>
public sealed class Snapshots(LogDb db, ILogger<Snapshots> logger)
{
    /// <summary>A state is saved when its version passes a multiple of this.</summary>
    public const int Interval = 100;

    /// <summary>A saved state with its place in the log.</summary>
    public sealed record Snapshot<TState>(TState State, long Version, long Position);

    /// <summary>The newest saved state of a stream in today's format, if any.</summary>
    public async Task<Snapshot<TState>?> LoadAsync<TState>(Guid stream) =>
        (await LoadAsync<TState>(db, [stream])).GetValueOrDefault(stream);

    /// <summary>The same of several streams, by the pool of the caller; those that have none are left out.</summary>
    public static Task<Dictionary<Guid, Snapshot<TState>>> LoadAsync<TState>(
        Db db,
        Guid[] streams,
        CancellationToken ct = default
    ) =>
        db.ReadAsync(
            "select stream_id, version, position, state from stream_snapshots where stream_id = any ($1) and format = $2",
            [Arg.Of(streams), Arg.Of(Format<TState>.Name)],
            static async (reader, ct) =>
            {
                var saved = new Dictionary<Guid, Snapshot<TState>>();
                while (await reader.ReadAsync(ct))
                    saved[reader.GetGuid(0)] = new(
                        JsonSerializer.Deserialize<TState>(reader.GetString(3), EventKinds.Json)!,
                        reader.GetInt64(1),
                        reader.GetInt64(2)
                    );
                return saved;
            },
            ct
        );

    /// <summary>
    /// Saves the state if its version has passed a multiple of <see cref="Interval"/> since <paramref name="before"/>. A
    /// failure is only logged.
    /// </summary>
    public async ValueTask MaybeSaveAsync<TState>(Guid stream, long before, long version, long position, TState state)
    {
        if (before / Interval == version / Interval)
            return;
        try
        {
            await db.ExecuteAsync(
                """
                insert into stream_snapshots (stream_id, format, version, position, state) values ($1, $2, $3, $4, $5)
                on conflict (stream_id) do update set format = excluded.format, version = excluded.version, position = excluded.position, state = excluded.state
                where stream_snapshots.version < excluded.version or stream_snapshots.format <> excluded.format
                """,
                [
                    Arg.Of(stream),
                    Arg.Of(Format<TState>.Name),
                    Arg.Of(version),
                    Arg.Of(position),
                    Arg.Json(JsonSerializer.Serialize(state, EventKinds.Json)),
                ]
            );
        }
        catch (Exception e)
        {
            // The write that led here is committed and must be answered so.
            logger.LogWarning(
                e,
                "The snapshot of {Stream} at {Version} was not saved: {Reason}",
                stream,
                version,
                e.Message
            );
        }
    }

    /// <summary>
    /// The format's name changes with the members of the state, so that an older form is never read as today's.
    /// </summary>
    static class Format<TState>
    {
        public static readonly string Name =
            typeof(TState).Name
            + ":"
            + string.Join(
                ',',
                typeof(TState)
                    .GetProperties()
                    .Select(property => $"{property.Name} {property.PropertyType.Name}")
                    .Order(StringComparer.Ordinal)
            );
    }
}
