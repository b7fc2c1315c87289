using Npgsql;

namespace Resources.Grains;

/// <summary>What the log knows of commands.</summary>
public sealed partial class EventLog
{
    /// <summary>A command without a key is sent again within seconds: no stream moves so far meanwhile.</summary>
    const int MaxVersionsOfRetry = 10_000;

    /// <summary>Finds what a command has done to a stream.</summary>
    /// <param name="version">A version that the stream has.</param>
    /// <returns>
    /// The version after the command and the request's fingerprint (null when it had no key); null when the stream knows
    /// nothing of the command.
    /// </returns>
    public Task<(long Version, string? Fingerprint)?> FindCommandAsync(Guid stream, long version, Intent intent) =>
        intent.Fingerprint is null
            ? FindAsync(
                """
                select max(version), null from mt_events where stream_id = $1 and causation_id = $2::text and version > $3
                """,
                Arg.Of(stream),
                Arg.Of(intent.CommandId),
                Arg.Of(version - MaxVersionsOfRetry)
            )
            : FindAsync(
                """
                select max(version), max(fingerprint) from (
                    select version, headers ->> 'fingerprint' as fingerprint from mt_events where stream_id = $1 and causation_id = $2::text and headers ? 'fingerprint'
                    union all
                    select version, fingerprint from unchanged_commands where stream_id = $1 and command_id = $2
                ) found
                """,
                Arg.Of(stream),
                Arg.Of(intent.CommandId)
            );

    /// <summary>
    /// Remembers that a command with a key has changed nothing, so that a repetition changes nothing either, whatever
    /// happens meanwhile.
    /// </summary>
    /// <returns>Whether the stream was at that version and the command not remembered yet.</returns>
    public async Task<bool> RememberUnchangedAsync(Guid stream, long version, Intent intent) =>
        await db.ExecuteAsync(
            """
            insert into unchanged_commands (stream_id, command_id, fingerprint, version)
            select $1, $2, $3, $4 where $4 = (select version from mt_streams where id = $1)
            on conflict (stream_id, command_id) do nothing
            """,
            [Arg.Of(stream), Arg.Of(intent.CommandId), Arg.Of(intent.Fingerprint), Arg.Of(version)]
        ) > 0;

    Task<(long Version, string? Fingerprint)?> FindAsync(string sql, params NpgsqlParameter[] arguments) =>
        db.ReadAsync<(long, string?)?>(sql, arguments, static async (reader, ct) =>
        {
            await reader.ReadAsync(ct);
            return reader.IsDBNull(0) ? null : (reader.GetInt64(0), reader.TextOrNull(1));
        });
}
