using Npgsql;

namespace Resources.Grains;

/// <summary>A key's window as it was kept.</summary>
public sealed record KeptWindow(string Key, long Start, int Granted, long Ends);

/// <summary>Windows under way, for the activation that takes over. The table is not logged: after a crash of the database all windows begin anew.</summary>
public sealed class LimitStore(NpgsqlDataSource database, StoreContact contact)
{
    public Task<List<KeptWindow>> LoadAsync(string bucket) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("select key, start, granted, ends from rate_limits where bucket = $1 and ends > (extract(epoch from clock_timestamp()) * 1000)::bigint");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = bucket });
        var windows = new List<KeptWindow>();
        await using var row = await command.ExecuteReaderAsync(ct);
        while (await row.ReadAsync(ct)) windows.Add(new(row.GetString(0), row.GetInt64(1), row.GetInt32(2), row.GetInt64(3)));
        return windows;
    });

    /// <summary>Adds to what is granted of a key's window; returns how much of it fits.</summary>
    public Task<int> AddAsync(string bucket, string key, long start, long ends, int added, int permits) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("""
            insert into rate_limits as kept (bucket, key, start, granted, ends, last) values ($1, $2, $3, least($5, $6), $4, least($5, $6))
            on conflict (bucket, key) do update set
                granted = case when kept.ends > $3 and kept.start <> $3 or kept.start = $3 then least(kept.granted + $5, $6) else excluded.granted end,
                last = case when kept.ends > $3 and kept.start <> $3 or kept.start = $3 then least(kept.granted + $5, $6) - kept.granted else excluded.last end,
                start = case when kept.ends > $3 then kept.start else $3 end, ends = case when kept.ends > $3 then kept.ends else $4 end
            returning last
            """);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = bucket });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = start });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = ends });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = added });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = permits });
        return (int)(await command.ExecuteScalarAsync(ct))!;
    });

    public Task SweepAsync(string bucket, long now) => contact.WhileAvailableAsync(async ct =>
    {
        await using var command = database.CreateCommand("delete from rate_limits where bucket = $1 and ends <= $2");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = bucket });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = now });
        return await command.ExecuteNonQueryAsync(ct);
    });
}
