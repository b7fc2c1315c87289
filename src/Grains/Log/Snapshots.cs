using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Resources.Grains;

/// <summary>A saved state with its place in the log.</summary>
public sealed record Snapshot<TState>(TState State, long Version, long Position);

/// <summary>
/// States of long streams, saved now and then so that an activation, or a read of the past, folds few events. Only a
/// saving of time: the log has it all, and what cannot be read is left out.
/// </summary>
public sealed class Snapshots(LogDb db, ReadsDb reads, ILogger<Snapshots> logger)
{
    /// <summary>The newest state is saved when its version passes a multiple of this.</summary>
    public const int Interval = 100;

    /// <summary>A state is kept for reads of the past when its version passes a multiple of this.</summary>
    public const int MilestoneInterval = 1_000;

    static readonly JsonSerializerOptions Json = new(EventKinds.Json) { RespectRequiredConstructorParameters = true };

    /// <summary>Saves take the connections of grains: a few at a time. What is not saved now is at the next multiple.</summary>
    readonly SemaphoreSlim saves = new(2);

    /// <summary>The newest saved state of a stream in today's format, if any.</summary>
    public async Task<Snapshot<TState>?> LoadAsync<TState>(Guid stream)
        where TState : class =>
        (
            await db.QueryAsync(
                "select version, position, state from stream_snapshots where stream_id = $1 and format = $2",
                [Arg.Of(stream), Arg.Of(Format<TState>.Name)],
                reader => Read<TState>(reader, 0)
            )
        ).FirstOrDefault();

    /// <summary>
    /// The saved state of a stream that is the closest before a version, a time or a position; 0 and null = any.
    /// </summary>
    public async Task<Snapshot<TState>?> LoadPastAsync<TState>(
        Guid stream,
        long throughVersion,
        DateTimeOffset? throughTime,
        long? throughPosition
    )
        where TState : class =>
        (
            await reads.QueryAsync(
                """
                select version, position, state from stream_milestones
                where stream_id = $1 and format = $2 and ($3 = 0 or version <= $3) and ($4 is null or at <= $4) and ($5 is null or position <= $5)
                order by version desc limit 1
                """,
                [
                    Arg.Of(stream),
                    Arg.Of(Format<TState>.Name),
                    Arg.Of(throughVersion),
                    Arg.Of(throughTime),
                    Arg.Of(throughPosition),
                ],
                reader => Read<TState>(reader, 0)
            )
        ).FirstOrDefault();

    /// <summary>
    /// The newest saved states of several streams, by the pool of the caller; those that have none are left out.
    /// </summary>
    public async Task<Dictionary<Guid, Snapshot<TState>>> LoadAsync<TState>(
        Db from,
        Guid[] streams,
        CancellationToken ct
    )
        where TState : class
    {
        var saved = await from.QueryAsync(
            "select stream_id, version, position, state from stream_snapshots where stream_id = any ($1) and format = $2",
            [Arg.Of(streams), Arg.Of(Format<TState>.Name)],
            reader => (Stream: reader.GetGuid(0), Snapshot: Read<TState>(reader, 1)),
            ct
        );
        return saved.Where(one => one.Snapshot is not null).ToDictionary(one => one.Stream, one => one.Snapshot!);
    }

    /// <summary>
    /// Saves the state in the background, if its version has passed a multiple of <see cref="Interval"/> since
    /// <paramref name="before"/>. A failure is only logged: the write that led here is committed.
    /// </summary>
    /// <param name="at">When the newest event of the state was appended.</param>
    public void Offer<TState>(Guid stream, long before, long version, long position, DateTimeOffset at, TState state)
    {
        if (before / Interval == version / Interval || !saves.Wait(0))
            return;
        _ = Task.Run(async () =>
        {
            try
            {
                await SaveAsync(stream, before, version, position, at, state);
            }
            catch (Exception e)
            {
                logger.LogWarning(
                    "The state of {Stream} at {Version} was not saved: {Reason}",
                    stream,
                    version,
                    e.Message
                );
            }
            finally
            {
                saves.Release();
            }
        });
    }

    async Task SaveAsync<TState>(Guid stream, long before, long version, long position, DateTimeOffset at, TState state)
    {
        var json = JsonSerializer.Serialize(state, EventKinds.Json);
        await db.ExecuteAsync(
            """
            insert into stream_snapshots (stream_id, format, version, position, state) values ($1, $2, $3, $4, $5)
            on conflict (stream_id) do update set format = excluded.format, version = excluded.version, position = excluded.position, state = excluded.state
            where stream_snapshots.version < excluded.version or stream_snapshots.format <> excluded.format
            """,
            [Arg.Of(stream), Arg.Of(Format<TState>.Name), Arg.Of(version), Arg.Of(position), Arg.Json(json)]
        );
        if (before / MilestoneInterval == version / MilestoneInterval)
            return;
        await db.ExecuteAsync(
            """
            insert into stream_milestones (stream_id, version, position, at, format, state) values ($1, $2, $3, $4, $5, $6)
            on conflict (stream_id, version) do update set format = excluded.format, state = excluded.state
            """,
            [Arg.Of(stream), Arg.Of(version), Arg.Of(position), Arg.Of(at), Arg.Of(Format<TState>.Name), Arg.Json(json)]
        );
    }

    Snapshot<TState>? Read<TState>(NpgsqlDataReader reader, int column)
        where TState : class
    {
        try
        {
            return new(
                JsonSerializer.Deserialize<TState>(reader.GetString(column + 2), Json)!,
                reader.GetInt64(column),
                reader.GetInt64(column + 1)
            );
        }
        catch (JsonException e)
        {
            logger.LogWarning(
                "A saved {State} cannot be read, and is made anew: {Reason}",
                typeof(TState).Name,
                e.Message
            );
            return null;
        }
    }

    /// <summary>
    /// The format's name changes with the members of the state, and of all that it is made of, so that an older form is
    /// never read as today's.
    /// </summary>
    static class Format<TState>
    {
        public static readonly string Name =
            typeof(TState).Name
            + ":"
            + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Shape(typeof(TState)))))[..16];
    }

    /// <summary>A type by the names and types of its members, and of theirs.</summary>
    internal static string Shape(Type type)
    {
        var shape = new StringBuilder();
        var seen = new HashSet<Type>();
        Describe(type);
        return shape.ToString();

        void Describe(Type one)
        {
            shape.Append(one.Name);
            if (one.IsArray)
                Describe(one.GetElementType()!);
            foreach (var argument in one.GetGenericArguments())
                Describe(argument);
            if (one.IsEnum)
                shape.Append(string.Join('|', Enum.GetNames(one)));
            if (one.Assembly != typeof(Snapshots).Assembly && one != type || !seen.Add(one))
                return;
            shape.Append('{');
            foreach (
                var property in one.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                    .OrderBy(property => property.Name, StringComparer.Ordinal)
            )
            {
                shape.Append(property.Name).Append(' ');
                Describe(property.PropertyType);
                shape.Append(';');
            }
            shape.Append('}');
        }
    }
}
