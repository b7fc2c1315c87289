namespace Resources.Grains;

/// <summary>
/// Current windows, for the activation that takes over. The table is unlogged: after a crash of the database all
/// windows start again.
/// </summary>
public sealed class LimitStore(ControlDb db)
{
    /// <summary>The windows of a bucket that have not ended, by key.</summary>
    public Task<Dictionary<string, LimitWindow>> LoadAsync(string bucket, long now) =>
        db.ReadAsync(
            "select key, start, ends, granted from rate_limits where bucket = $1 and ends > $2",
            [Arg.Of(bucket), Arg.Of(now)],
            static async (reader, ct) =>
            {
                var windows = new Dictionary<string, LimitWindow>();
                while (await reader.ReadAsync(ct))
                    windows.Add(
                        reader.GetString(0),
                        LimitWindow.Loaded(reader.GetInt64(1), reader.GetInt64(2), reader.GetInt32(3))
                    );
                return windows;
            }
        );

    /// <summary>
    /// Adds granted permits to windows; returns the total of the last one. A window that another activation has started
    /// and that has not ended gets the permits.
    /// </summary>
    public Task<int> AddAsync(string bucket, params KeptWindow[] added) =>
        db.ScalarAsync<int>(
            """
            insert into rate_limits as kept (bucket, key, start, ends, granted) select $1, * from unnest($2, $3, $4, $5)
            on conflict (bucket, key) do update set
                start = case when kept.ends > excluded.start then kept.start else excluded.start end,
                ends = case when kept.ends > excluded.start then kept.ends else excluded.ends end,
                granted = case when kept.ends > excluded.start then kept.granted else 0 end + excluded.granted
            returning granted
            """,
            [
                Arg.Of(bucket),
                Arg.Of(Array.ConvertAll(added, window => window.Key)),
                Arg.Of(Array.ConvertAll(added, window => window.Start)),
                Arg.Of(Array.ConvertAll(added, window => window.Ends)),
                Arg.Of(Array.ConvertAll(added, window => window.Granted)),
            ]
        );

    /// <summary>Removes windows that have ended.</summary>
    public Task SweepAsync(string bucket, long now) =>
        db.ExecuteAsync("delete from rate_limits where bucket = $1 and ends <= $2", [Arg.Of(bucket), Arg.Of(now)]);
}
