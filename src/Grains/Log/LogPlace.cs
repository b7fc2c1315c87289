using Npgsql;

namespace Resources.Grains;

/// <summary>What the server says of the log that it holds: whether its promises can be kept there.</summary>
/// <param name="Epoch">The newest epoch of the log. Each promotion of a standby and each restore begins one.</param>
/// <param name="Lineage">Tells the cluster of a restored log from that of the original; null for the original.</param>
/// <param name="IsStandby">Whether the server is in recovery, and so writes nothing.</param>
/// <param name="IsElsewhere">Whether the newest epoch was begun in another database: this one is a copy.</param>
/// <param name="KnownTimeline">The time line of the newest epoch.</param>
/// <param name="Timeline">The server's time line; null on a standby.</param>
/// <param name="SequenceCache">How many positions a session draws at once.</param>
public sealed record LogPlace(
    int Epoch,
    Guid? Lineage,
    bool IsStandby,
    bool IsElsewhere,
    int KnownTimeline,
    int? Timeline,
    long SequenceCache
)
{
    /// <summary>Why the server must not be used; null while it may.</summary>
    public string? Fault =>
        IsStandby ? "The server is a standby: it is not promoted, or no longer the primary."
        : !IsElsewhere && Timeline < KnownTimeline
            ? $"The server is on time line {Timeline}, but the log has gone on to {KnownTimeline}: it is a former primary."
        : SequenceCache is not 1
            ? $"The sequence mt_events_sequence caches {SequenceCache} values by session, which breaks the order of "
                + "positions. Run 'alter sequence mt_events_sequence cache 1'."
        : null;

    /// <summary>Whether an epoch has to begin before anything is appended.</summary>
    public bool BeginsEpoch => IsElsewhere || Timeline > KnownTimeline;

    /// <summary>Asks the server.</summary>
    public static async Task<LogPlace> LookAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            "select epoch, lineage, is_standby, is_elsewhere, known_timeline, timeline, cache from log_place()",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(ct);
        await reader.ReadAsync(ct);
        return new(
            reader.GetInt32(0),
            reader.IsDBNull(1) ? null : reader.GetGuid(1),
            reader.GetBoolean(2),
            reader.GetBoolean(3),
            reader.GetInt32(4),
            reader.IntOrNull(5),
            reader.GetInt64(6)
        );
    }

    /// <summary>
    /// Begins an epoch: positions go on beyond any that was ever handed out, and an event says what may be lost. Several
    /// nodes may try; one does.
    /// </summary>
    public static async Task BeginEpochAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select begin_log_epoch()", connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
