using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>How many live resources share a value.</summary>
public sealed record CountOf<T>(T Value, long Count);

/// <summary>Live resources in numbers, at a position of the log.</summary>
/// <param name="ByDay">By the day (UTC) on which they were created, oldest first.</param>
public sealed record ResourceStatistics(
    long Position,
    int Generation,
    long Total,
    IReadOnlyList<CountOf<string>> ByType,
    IReadOnlyList<CountOf<string>> ByStatus,
    IReadOnlyList<CountOf<DateOnly>> ByDay
);

/// <summary>Reads the statistics, which are counted in the same transactions as the resource views.</summary>
public sealed class StatisticsQueries(NpgsqlDataSource database, StoreContact contact)
{
    /// <summary>More types or statuses than this are not listed; the total has them.</summary>
    public const int MostValues = 1000;

    /// <summary>Counts of what can be seen, narrowed by type, status and the days of creation (inclusive).</summary>
    public Task<ResourceStatistics> ReadAsync(
        Reach visible,
        string? type,
        string? status,
        DateOnly? from,
        DateOnly? to,
        CancellationToken ct
    ) =>
        contact.WhileAvailableAsync(
            async token =>
            {
                await using var command = database.CreateCommand();
                var counts = ResourceSql.Counts(command.Parameters, null, visible);
                var first = command.Parameters.Count;
                command.CommandText = $"""
                    with reached as materialized (select position, generation from resource_views_position),
                    counted as materialized (
                        select type, status, day, live from resource_statistics
                        where {counts} and live > 0 and (${first + 1}::text is null or type = ${first + 1}) and (${first
                        + 2}::text is null or status = ${first + 2}) and day between ${first + 3} and ${first + 4}
                    )
                    select 0, null, null::date, (select position from reached), coalesce(sum(live), 0)::bigint, (select generation from reached) from counted
                    union all (select 1, type, null, 0, sum(live)::bigint, 0 from counted group by type order by 5 desc, 2 limit {MostValues})
                    union all (select 2, status, null, 0, sum(live)::bigint, 0 from counted group by status order by 5 desc, 2 limit {MostValues})
                    union all (select 3, null, day, 0, sum(live)::bigint, 0 from counted group by day order by day)
                    """;
                foreach (var text in new[] { type, status })
                    command.Parameters.Add(
                        new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text }
                    );
                command.Parameters.Add(new() { Value = from ?? DateOnly.MinValue });
                command.Parameters.Add(new() { Value = to ?? DateOnly.MaxValue });
                var position = 0L;
                var generation = 0;
                var total = 0L;
                var types = new List<CountOf<string>>();
                var statuses = new List<CountOf<string>>();
                var days = new List<CountOf<DateOnly>>();
                await using var row = await command.ExecuteReaderAsync(token);
                while (await row.ReadAsync(token))
                {
                    var count = row.GetInt64(4);
                    switch (row.GetInt32(0))
                    {
                        case 0:
                            (position, generation, total) = (row.GetInt64(3), row.GetInt32(5), count);
                            break;
                        case 1:
                            types.Add(new(row.GetString(1), count));
                            break;
                        case 2:
                            statuses.Add(new(row.GetString(1), count));
                            break;
                        default:
                            days.Add(new(row.GetFieldValue<DateOnly>(2), count));
                            break;
                    }
                }
                return new ResourceStatistics(position, generation, total, types, statuses, days);
            },
            ct
        );
}
