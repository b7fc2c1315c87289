using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>How many live resources share a value.</summary>
public sealed record CountOf<T>(T Value, long Count);

/// <summary>Live resources in numbers, at a position of the log.</summary>
/// <param name="ByDay">By the day (UTC) on which they were created, oldest first.</param>
/// <param name="Groups">The largest first; null unless asked for.</param>
public sealed record ResourceStatistics(
    long Position,
    int Generation,
    long Total,
    IReadOnlyList<CountOf<string>> ByType,
    IReadOnlyList<CountOf<string>> ByStatus,
    IReadOnlyList<CountOf<DateOnly>> ByDay,
    IReadOnlyList<ResourceGroup>? Groups = null
);

/// <summary>Reads the statistics, which are counted in the same transactions as the resource views.</summary>
public sealed class StatisticsQueries(ReadsDb db)
{
    /// <summary>More types or statuses than this are not listed; the total has them.</summary>
    public const int MaxValues = 1000;

    /// <summary>Counts of what can be seen, narrowed by type, status and the days of creation (inclusive).</summary>
    public Task<ResourceStatistics> ReadAsync(
        Reach visible,
        string? type,
        string? status,
        DateOnly? from,
        DateOnly? to,
        CancellationToken ct
    ) => db.RunAsync((connection, token) => ReadAsync(connection, visible, type, status, from, to, token), ct);

    /// <summary>The same, in the transaction that a connection is in.</summary>
    internal static async Task<ResourceStatistics> ReadAsync(
        NpgsqlConnection connection,
        Reach visible,
        string? type,
        string? status,
        DateOnly? from,
        DateOnly? to,
        CancellationToken ct
    )
    {
        await using var command = connection.CreateCommand();
        var counts = ResourceSql.Counts(command.Parameters, null, visible);
        var ofType = command.Parameters.Place(type, NpgsqlDbType.Text);
        var ofStatus = command.Parameters.Place(status, NpgsqlDbType.Text);
        var since = command.Parameters.Place(from ?? DateOnly.MinValue, NpgsqlDbType.Date);
        var until = command.Parameters.Place(to ?? DateOnly.MaxValue, NpgsqlDbType.Date);
        command.CommandText = $"""
            with reached as materialized (select position, generation from resource_views_position),
            counted as materialized (
                select type, status, day, live from resource_statistics
                where {counts} and live > 0 and ({ofType}::text is null or type = {ofType}) and ({ofStatus}::text is null or status = {ofStatus}) and day between {since} and {until}
            )
            select 0, null, null::date, (select position from reached), coalesce(sum(live), 0)::bigint, (select generation from reached) from counted
            union all (select 1, type, null, 0, sum(live)::bigint, 0 from counted group by type order by 5 desc, 2 limit {MaxValues})
            union all (select 2, status, null, 0, sum(live)::bigint, 0 from counted group by status order by 5 desc, 2 limit {MaxValues})
            union all (select 3, null, day, 0, sum(live)::bigint, 0 from counted group by day order by day)
            """;
        var position = 0L;
        var generation = 0;
        var total = 0L;
        var types = new List<CountOf<string>>();
        var statuses = new List<CountOf<string>>();
        var days = new List<CountOf<DateOnly>>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
        {
            var count = reader.GetInt64(4);
            switch (reader.GetInt32(0))
            {
                case 0:
                    (position, generation, total) = (reader.GetInt64(3), reader.GetInt32(5), count);
                    break;
                case 1:
                    types.Add(new(reader.GetString(1), count));
                    break;
                case 2:
                    statuses.Add(new(reader.GetString(1), count));
                    break;
                default:
                    days.Add(new(reader.GetFieldValue<DateOnly>(2), count));
                    break;
            }
        }
        return new ResourceStatistics(position, generation, total, types, statuses, days);
    }
}
