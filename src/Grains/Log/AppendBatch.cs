using Npgsql;
using NpgsqlTypes;

namespace Resources.Grains;

/// <summary>The appends of one transaction, as the parallel arrays that <c>append_events</c> takes.</summary>
sealed class AppendBatch
{
    readonly List<Append> appends = [];
    readonly HashSet<Guid> streams = [];

    public int Streams => appends.Count;

    /// <summary>The approximate size of the statement, in characters.</summary>
    public int Bytes { get; private set; }

    public void Clear()
    {
        appends.Clear();
        streams.Clear();
        Bytes = 0;
    }

    /// <summary>Adds an append, unless its stream is in the batch already.</summary>
    public bool TryAdd(Append append)
    {
        if (!streams.Add(append.Stream))
            return false;
        appends.Add(append);
        foreach (var body in append.Bodies)
            Bytes += body.Length;
        return true;
    }

    /// <summary>The same appends, one in each batch.</summary>
    public IReadOnlyList<AppendBatch> Split() =>
        appends.ConvertAll(append =>
        {
            var single = new AppendBatch();
            single.TryAdd(append);
            return single;
        });

    /// <summary>Answers every append; returns how many events were committed.</summary>
    public int Complete(Appended?[] outcomes)
    {
        var events = 0;
        for (var i = 0; i < appends.Count; i++)
        {
            events += outcomes[i]?.Positions.Length ?? 0;
            appends[i].Done.TrySetResult(outcomes[i]);
        }
        return events;
    }

    public void Fail(Exception fault)
    {
        foreach (var append in appends)
            append.Done.TrySetException(
                fault is not StoreUnavailableException && StoreUnavailableException.Explains(fault)
                    ? new StoreUnavailableException("PostgreSQL is away.", fault)
                    : fault
            );
    }

    /// <summary>
    /// Commits the batch in one round trip: a single statement is its own transaction, so no client can hold its lock.
    /// </summary>
    /// <param name="lost">
    /// Gives the statement up. Nothing else does: a commit that waits for a synchronous standby and is cancelled counts as
    /// done for the server, and is nowhere but there.
    /// </param>
    public async Task<Appended?[]> SendAsync(NpgsqlConnection connection, CancellationToken lost)
    {
        await using var command = new NpgsqlCommand(
            "select ordinal, appended, positions, appended_at from append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            connection
        );
        command.CommandTimeout = 0;
        Bind(command.Parameters);
        var outcomes = new Appended?[appends.Count];
        await using var reader = await command.ExecuteReaderAsync(lost);
        while (await reader.ReadAsync(lost))
            if (reader.GetBoolean(1))
                outcomes[reader.GetInt64(0) - 1] = new(
                    reader.GetFieldValue<long[]>(2),
                    reader.GetFieldValue<DateTimeOffset>(3)
                );
        return outcomes;
    }

    void Bind(NpgsqlParameterCollection parameters)
    {
        var events = appends.Sum(append => append.Kinds.Length);
        var streamOf = new int[events];
        var ids = new Guid[events];
        var types = new string[events];
        var clrTypes = new string[events];
        var bodies = new string[events];
        var at = 0;
        for (var stream = 0; stream < appends.Count; stream++)
        {
            var append = appends[stream];
            for (var i = 0; i < append.Kinds.Length; i++, at++)
            {
                streamOf[at] = stream + 1;
                ids[at] = append.Ids[i];
                types[at] = append.Kinds[i].Name;
                clrTypes[at] = append.Kinds[i].ClrName;
                bodies[at] = append.Bodies[i];
            }
        }
        Add(parameters, NpgsqlDbType.Uuid, Each(append => append.Stream));
        Add(parameters, NpgsqlDbType.Bigint, Each(append => append.ExpectedVersion));
        Add(parameters, NpgsqlDbType.Integer, Each(append => append.Kinds.Length));
        Add(parameters, NpgsqlDbType.Text, Each(append => append.Intent.CommandId.ToString()));
        Add(parameters, NpgsqlDbType.Text, Each(append => append.Intent.Actor));
        Add(parameters, NpgsqlDbType.Text, Each(append => append.Intent.CorrelationId));
        Add(parameters, NpgsqlDbType.Jsonb, Each(append => Headers(append.Intent)));
        Add(parameters, NpgsqlDbType.Integer, streamOf);
        Add(parameters, NpgsqlDbType.Uuid, ids);
        Add(parameters, NpgsqlDbType.Text, types);
        Add(parameters, NpgsqlDbType.Text, clrTypes);
        Add(parameters, NpgsqlDbType.Jsonb, bodies);
    }

    /// <summary>
    /// The properties of a command beside its actor. An address has only digits, letters, dots and colons, so nothing
    /// needs escaping.
    /// </summary>
    static string? Headers(Intent intent)
    {
        if (intent is { Fingerprint: null, Session: null, Address: null })
            return null;
        var parts = new List<string>(3);
        if (intent.Fingerprint is { } print)
            parts.Add($"\"fingerprint\":\"{print}\"");
        if (intent.Session is { } session)
            parts.Add($"\"session\":\"{session}\"");
        if (intent.Address is { } address)
            parts.Add($"\"address\":\"{address}\"");
        return $"{{{string.Join(',', parts)}}}";
    }

    T[] Each<T>(Func<Append, T> part)
    {
        var parts = new T[appends.Count];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = part(appends[i]);
        return parts;
    }

    static void Add<T>(NpgsqlParameterCollection parameters, NpgsqlDbType element, T[] values) =>
        parameters.Add(new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | element });
}
