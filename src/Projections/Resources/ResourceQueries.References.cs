using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>Resources by their ids, and by what they refer to.</summary>
public sealed partial class ResourceQueries
{
    /// <summary>The position of the view.</summary>
    public Task<long> PositionAsync(CancellationToken ct) =>
        RunAsync(
            searches,
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand("select position from resource_views_position", connection);
                return (long)(await command.ExecuteScalarAsync(token))!;
            },
            ct
        );

    /// <summary>
    /// Live resources within reach by their ids, as long as they have about <paramref name="bytes"/> of metadata.
    /// </summary>
    /// <returns>Those that were found, and how many of the ids were looked at.</returns>
    public Task<(IReadOnlyDictionary<Guid, ResourceRow> Rows, int Seen)> OfIdsAsync(
        Reach visible,
        Guid[] ids,
        int bytes,
        CancellationToken ct
    )
    {
        var budget = new ByteBudget(bytes);
        return QueryAsync<(IReadOnlyDictionary<Guid, ResourceRow>, int)>(
            reads,
            new(visible),
            (parameters, selection) => ResourceSql.OfIds(parameters, selection, ids),
            async (reader, token) =>
            {
                var rows = new Dictionary<Guid, ResourceRow>();
                while (await reader.ReadAsync(token))
                {
                    if (budget.IsExceeded())
                        return (rows, (int)reader.GetInt64(0) - 1);
                    var row = ReadRow(reader, 1, budget);
                    rows[row.Id] = row;
                }
                return (rows, ids.Length);
            },
            ct,
            budget
        );
    }

    /// <summary>
    /// Live resources within reach that refer to others, by the ids of those, as long as they have about
    /// <paramref name="bytes"/> of metadata.
    /// </summary>
    /// <returns>The rows, the newest first for each id; and whether those of the last id, and of others, are cut.</returns>
    public Task<(IReadOnlyList<(Guid To, ResourceRow Row)> Rows, bool IsCut)> ReferringAsync(
        Reach visible,
        string type,
        string[] path,
        Guid[] ids,
        (DateTimeOffset Created, Guid Id)? after,
        int limit,
        int bytes,
        CancellationToken ct
    )
    {
        var budget = new ByteBudget(bytes);
        return QueryAsync<(IReadOnlyList<(Guid, ResourceRow)>, bool)>(
            searches,
            new(visible, type),
            (parameters, selection) => ResourceSql.Referring(parameters, selection, path, ids, after, limit),
            async (reader, token) =>
            {
                var rows = new List<(Guid, ResourceRow)>();
                while (await reader.ReadAsync(token))
                {
                    if (budget.IsExceeded())
                        return (rows, true);
                    rows.Add((reader.GetGuid(0), ReadRow(reader, 1, budget)));
                }
                return (rows, false);
            },
            ct,
            budget
        );
    }
}
