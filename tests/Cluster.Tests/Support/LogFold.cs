using System.Text.Json;
using Npgsql;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>The state of all resources according to the log, to compare read models with.</summary>
internal static class LogFold
{
    /// <summary>
    /// Waits until the read model has the whole log. Compares it row by row, the statistics with counts of the rows,
    /// and the lexicon with their words.
    /// </summary>
    public static async Task EqualsReadModelsAsync(string connectionString, TimeSpan within)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        await Eventually.HoldsAsync(
            async () =>
                await ScalarAsync<bool>(
                    database,
                    "select position >= (select coalesce(max(seq_id), 0) from mt_events) from resource_views_position"
                ),
            within,
            () => "the read model has the whole log"
        );
        var expected = await FoldAsync(database);
        var rows = await RowsAsync(database);
        Assert.Equal(expected.Count, rows.Count);
        foreach (var (id, (resource, version)) in expected)
        {
            var (row, at) = rows[id];
            Assert.Equal(version, at);
            Assert.Equal(resource.Metadata, row.Metadata);
            Assert.Equal(resource with { Metadata = row.Metadata }, row);
        }
        var counted =
            from row in rows.Values
            where row.Resource.DeletedAt is null
            from scope in new[] { "*", row.Resource.Owner }
            group row by (
                scope,
                row.Resource.Type,
                row.Resource.Status,
                DateOnly.FromDateTime(row.Resource.CreatedAt.UtcDateTime)
            ) into alike
            select (alike.Key, (long)alike.Count());
        Assert.Equal(counted.Order(), (await StatisticsAsync(database)).Order());
        Assert.Equal(
            0,
            await ScalarAsync<long>(
                database,
                "select count(*) from ts_stat('select words from resource_views') used where word not in (select word from resource_words)"
            )
        );
    }

    static async Task<Dictionary<Guid, (Resource Resource, long Version)>> FoldAsync(NpgsqlDataSource database)
    {
        var kinds = new EventKinds();
        var states = new Dictionary<Guid, (Resource, long)>();
        await using var command = database.CreateCommand(
            "select stream_id, version, seq_id, timestamp, user_name, type, data::text from mt_events where "
                + "type like 'resource.%' order by seq_id"
        );
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
        {
            var data = (ResourceEvent)kinds.Read(row.GetString(5), row.GetString(6))!;
            var recorded = new Recorded<ResourceEvent>(
                data,
                row.GetInt64(1),
                row.GetInt64(2),
                row.GetFieldValue<DateTimeOffset>(3),
                row.GetString(4)
            );
            var (state, version) = states.GetValueOrDefault(row.GetGuid(0));
            Assert.Equal(version + 1, recorded.Version);
            states[row.GetGuid(0)] = (Resource.Evolve(state, recorded), recorded.Version);
        }
        return states;
    }

    static async Task<Dictionary<Guid, (Resource Resource, long Version)>> RowsAsync(NpgsqlDataSource database)
    {
        var rows = new Dictionary<Guid, (Resource, long)>();
        await using var command = database.CreateCommand(
            "select id, version, type, name, status, metadata::text, owner, created_at, created_by, "
                + "updated_at, updated_by, deleted_at from resource_views"
        );
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
            rows.Add(
                row.GetGuid(0),
                (
                    new(
                        row.GetString(2),
                        row.GetString(3),
                        row.GetString(4),
                        JsonText.From(JsonElement.Parse(row.GetString(5))),
                        row.GetString(6),
                        row.GetFieldValue<DateTimeOffset>(7),
                        row.GetString(8),
                        row.GetFieldValue<DateTimeOffset>(9),
                        row.GetString(10),
                        row.IsDBNull(11) ? null : row.GetFieldValue<DateTimeOffset>(11)
                    ),
                    row.GetInt64(1)
                )
            );
        return rows;
    }

    static async Task<List<((string, string, string, DateOnly), long)>> StatisticsAsync(NpgsqlDataSource database)
    {
        var counts = new List<((string, string, string, DateOnly), long)>();
        await using var command = database.CreateCommand(
            "select scope, type, status, day, live from resource_statistics where live <> 0"
        );
        await using var row = await command.ExecuteReaderAsync();
        while (await row.ReadAsync())
            counts.Add(
                (
                    (row.GetString(0), row.GetString(1), row.GetString(2), row.GetFieldValue<DateOnly>(3)),
                    row.GetInt64(4)
                )
            );
        return counts;
    }

    static async Task<T> ScalarAsync<T>(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
