using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Resources.Grains;

/// <summary>
/// States of long streams, saved now and then so that an activation reads few events. Only a saving of time: the log
/// has it all.
/// </summary>
public sealed class Snapshots(NpgsqlDataSource database, StoreContact contact, ILogger<Snapshots> log)
{
    /// <summary>A state is saved when its version passes a multiple of this.</summary>
    public const int Every = 100;

    /// <summary>A saved state with its place in the log.</summary>
    public sealed record Snapshot<TState>(TState State, long Version, long Position);

    /// <summary>The newest saved state of a stream in today's format, if any.</summary>
    public async Task<Snapshot<TState>?> LoadAsync<TState>(Guid stream) =>
        (await LoadAsync<TState>([stream])).GetValueOrDefault(stream);

    /// <summary>The same of several streams; those that have none are left out.</summary>
    public Task<Dictionary<Guid, Snapshot<TState>>> LoadAsync<TState>(Guid[] streams, CancellationToken ct = default) =>
        contact.WhileAvailableAsync(
            async ct =>
            {
                await using var command = database.CreateCommand(
                    "select stream_id, version, position, state from stream_snapshots where stream_id = any ($1) and format = $2"
                );
                command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = streams });
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Format<TState>.Name });
                var saved = new Dictionary<Guid, Snapshot<TState>>();
                await using var row = await command.ExecuteReaderAsync(ct);
                while (await row.ReadAsync(ct))
                    saved[row.GetGuid(0)] = new(
                        JsonSerializer.Deserialize<TState>(row.GetString(3), EventKinds.Json)!,
                        row.GetInt64(1),
                        row.GetInt64(2)
                    );
                return saved;
            },
            ct
        );

    /// <summary>
    /// Saves the state if its version has passed a multiple of <see cref="Every"/> since <paramref name="before"/>. A
    /// failure is only logged.
    /// </summary>
    public async ValueTask MaybeSaveAsync<TState>(Guid stream, long before, long version, long position, TState state)
    {
        if (before / Every == version / Every)
            return;
        try
        {
            await using var command = database.CreateCommand(
                """
                insert into stream_snapshots (stream_id, format, version, position, state) values ($1, $2, $3, $4, $5)
                on conflict (stream_id) do update set format = excluded.format, version = excluded.version, position = excluded.position, state = excluded.state
                where stream_snapshots.version < excluded.version or stream_snapshots.format <> excluded.format
                """
            );
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = stream });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Format<TState>.Name });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = version });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = position });
            command.Parameters.Add(
                new NpgsqlParameter<string>
                {
                    TypedValue = JsonSerializer.Serialize(state, EventKinds.Json),
                    NpgsqlDbType = NpgsqlDbType.Jsonb,
                }
            );
            await contact.WhileAvailableAsync(ct => command.ExecuteNonQueryAsync(ct));
        }
        catch (Exception e)
        {
            // The write that led here is committed and must be answered so.
            log.LogWarning(
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
