using Npgsql;
using NpgsqlTypes;

namespace Resources.Grains;

/// <summary>The appends of one transaction, as the parallel arrays that <c>append_events</c> takes.</summary>
sealed class AppendBatch
{
    const string Guarded = """
        select ordinal, outcome, detail, positions, appended_at from append_events(
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
        """;

    /// <summary>Most batches touch neither values nor references. Eleven empty arrays would cost 2 % of a create.</summary>
    const string Fenced = """
        select ordinal, outcome, detail, positions, appended_at from append_events(
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')
        """;

    readonly List<Append> appends = [];
    readonly HashSet<Guid> streams = [];
    readonly BatchGuards guards = new();

    public int Streams => appends.Count;

    /// <summary>How many rows of claims and references the batch touches.</summary>
    public int GuardRows => guards.Rows;

    /// <summary>The approximate size of the statement, in characters.</summary>
    public int Bytes { get; private set; }

    public void Clear()
    {
        appends.Clear();
        streams.Clear();
        guards.Clear();
        Bytes = 0;
    }

    /// <summary>
    /// Adds an append, unless the batch has one of the same stream, or one whose guards it might break: all of a batch
    /// are checked against what was there before it.
    /// </summary>
    public bool TryAdd(Append append)
    {
        if (streams.Contains(append.Stream) || !guards.TryAdd(append.Stream, append.Guards, streams))
            return false;
        streams.Add(append.Stream);
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
    public int Complete(AppendOutcome[] outcomes)
    {
        var events = 0;
        for (var i = 0; i < appends.Count; i++)
        {
            if (outcomes[i] is Appended appended)
                events += appended.Positions.Length;
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
    public async Task<AppendOutcome[]> SendAsync(NpgsqlConnection connection, CancellationToken lost)
    {
        await using var command = new NpgsqlCommand(guards.AreFencesOnly ? Fenced : Guarded, connection);
        command.CommandTimeout = 0;
        Bind(command.Parameters);
        var outcomes = new AppendOutcome[appends.Count];
        await using var reader = await command.ExecuteReaderAsync(lost);
        while (await reader.ReadAsync(lost))
            outcomes[reader.GetInt64(0) - 1] = OutcomeOf(reader);
        return outcomes;
    }

    AppendOutcome OutcomeOf(NpgsqlDataReader reader) =>
        reader.GetInt16(1) switch
        {
            0 => new Appended(reader.GetFieldValue<long[]>(3), reader.GetFieldValue<DateTimeOffset>(4)),
            1 => new Conflict(),
            2 => new FenceMoved(reader.GetInt64(2)),
            3 => new Taken(guards.ClaimAt(reader.GetInt64(2))),
            4 => new TargetMissing(guards.ReferenceAt(reader.GetInt64(2))),
            5 => new StillReferenced(),
            var other => throw new InvalidDataException($"An append has the outcome {other}."),
        };

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
        parameters.AddArray(NpgsqlDbType.Uuid, Each(append => append.Stream));
        parameters.AddArray(NpgsqlDbType.Bigint, Each(append => append.ExpectedVersion));
        parameters.AddArray(NpgsqlDbType.Integer, Each(append => append.Kinds.Length));
        parameters.AddArray(NpgsqlDbType.Text, Each(append => append.Intent.CommandId.ToString()));
        parameters.AddArray(NpgsqlDbType.Text, Each(append => append.Intent.Actor));
        parameters.AddArray(NpgsqlDbType.Text, Each(append => append.Intent.CorrelationId));
        parameters.AddArray(NpgsqlDbType.Jsonb, Each(append => Headers(append.Intent)));
        parameters.AddArray(NpgsqlDbType.Integer, streamOf);
        parameters.AddArray(NpgsqlDbType.Uuid, ids);
        parameters.AddArray(NpgsqlDbType.Text, types);
        parameters.AddArray(NpgsqlDbType.Text, clrTypes);
        parameters.AddArray(NpgsqlDbType.Jsonb, bodies);
        guards.Bind(parameters);
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
}
