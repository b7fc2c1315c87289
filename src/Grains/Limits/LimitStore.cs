using Npgsql;

namespace Resources.Grains;

/// <summary>
/// Current windows, for the activation that takes over. The table is unlogged: after a crash of the database all
/// windows start again.
/// </summary>
public sealed class LimitStore(NpgsqlDataSource database, StoreContact contact)
{
    /// <summary>The windows of a bucket that have not ended, by key.</summary>
    public Task<Dictionary<string, LimitWindow>> LoadAsync(string bucket, long now) =>
        contact.WhileAvailableAsync(async ct =>
        {
            await using var command = database.CreateCommand(
                "select key, start, ends, granted from rate_limits where bucket = $1 and ends > $2"
            );
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = bucket });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = now });
            var windows = new Dictionary<string, LimitWindow>();
            await using var row = await command.ExecuteReaderAsync(ct);
            while (await row.ReadAsync(ct))
                windows.Add(row.GetString(0), LimitWindow.Loaded(row.GetInt64(1), row.GetInt64(2), row.GetInt32(3)));
            return windows;
        });

    /// <summary>
    /// Adds granted permits to windows; returns the total of the last one. A window that another activation has started
    /// and that has not ended gets the permits.
    /// </summary>
    public Task<int> AddAsync(string bucket, params KeptWindow[] added) =>
        contact.WhileAvailableAsync(async ct =>
        {
            await using var command = database.CreateCommand(
                """
                insert into rate_limits as kept (bucket, key, start, ends, granted) select $1, * from unnest($2, $3, $4, $5)
                on conflict (bucket, key) do update set
                    start = case when kept.ends > excluded.start then kept.start else excluded.start end,
                    ends = case when kept.ends > excluded.start then kept.ends else excluded.ends end,
                    granted = case when kept.ends > excluded.start then kept.granted else 0 end + excluded.granted
                returning granted
                """
            );
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = bucket });
            command.Parameters.Add(
                new NpgsqlParameter<string[]> { TypedValue = [.. added.Select(window => window.Key)] }
            );
            command.Parameters.Add(
                new NpgsqlParameter<long[]> { TypedValue = [.. added.Select(window => window.Start)] }
            );
            command.Parameters.Add(
                new NpgsqlParameter<long[]> { TypedValue = [.. added.Select(window => window.Ends)] }
            );
            command.Parameters.Add(
                new NpgsqlParameter<int[]> { TypedValue = [.. added.Select(window => window.Granted)] }
            );
            return await command.ExecuteScalarAsync(ct) as int? ?? 0;
        });

    /// <summary>Removes windows that have ended.</summary>
    public Task SweepAsync(string bucket, long now) =>
        contact.WhileAvailableAsync(async ct =>
        {
            await using var command = database.CreateCommand(
                "delete from rate_limits where bucket = $1 and ends <= $2"
            );
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = bucket });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = now });
            return await command.ExecuteNonQueryAsync(ct);
        });
}
