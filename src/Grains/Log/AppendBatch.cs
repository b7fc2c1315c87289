using Npgsql;
using NpgsqlTypes;

namespace Resources.Grains;

/// <summary>The appends of one transaction, as the parallel arrays that <c>append_events</c> takes.</summary>
sealed class AppendBatch
{
    const string Guarded = """
        select ordinal, outcome, detail, positions, appended_at from append_events(
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)
        """;

    /// <summary>
    /// Most batches touch neither values nor references, and have no units. Thirteen empty arrays would cost some 2 % of a
    /// create.
    /// </summary>
    const string Fenced = """
        select ordinal, outcome, detail, positions, appended_at from append_events(
            $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')
        """;

    /// <summary>Those that somebody waits for, without the others of their units.</summary>
    readonly List<Append> awaited = [];

    readonly List<Append> appends = [];
    readonly HashSet<Guid> streams = [];
    readonly BatchGuards guards = new();

    /// <summary>Of each append the number of its unit, or 0.</summary>
    readonly List<int> units = [];

    readonly List<DateTime> unitEnds = [];

    public int Streams => appends.Count;

    /// <summary>Whether parts of it can be sent apart.</summary>
    public bool IsDivisible => awaited.Count > 1;

    /// <summary>How many rows of claims and references the batch touches.</summary>
    public int GuardRows => guards.Rows;

    /// <summary>Whether there are no units, and no guards but fences.</summary>
    bool AreFencesOnly => guards.AreFencesOnly && unitEnds is [];

    /// <summary>The approximate size of the statement, in characters.</summary>
    public int Bytes { get; private set; }

    public void Clear()
    {
        awaited.Clear();
        appends.Clear();
        streams.Clear();
        guards.Clear();
        units.Clear();
        unitEnds.Clear();
        Bytes = 0;
    }

    /// <summary>
    /// Adds an append with its unit, unless the batch has one of the same stream, or one whose guards it might break: all
    /// of a batch are checked against what was there before it. What members of one unit are to each other, the database
    /// looks after.
    /// </summary>
    public bool TryAdd(Append append)
    {
        if (!Fits(append) || !Array.TrueForAll(append.Before, Fits))
            return false;
        awaited.Add(append);
        if (append.Before is [])
        {
            Add(append, 0);
            return true;
        }
        unitEnds.Add(append.UnitEnds.UtcDateTime);
        foreach (var other in append.Before)
            Add(other, unitEnds.Count);
        Add(append, unitEnds.Count);
        return true;
    }

    bool Fits(Append append) =>
        !streams.Contains(append.Stream) && !guards.Collide(append.Stream, append.Guards, streams);

    void Add(Append append, int unit)
    {
        streams.Add(append.Stream);
        appends.Add(append);
        units.Add(unit);
        guards.Add(append.Guards);
        foreach (var body in append.Bodies)
            Bytes += body.Length;
    }

    /// <summary>The same appends, each in a batch of its own with its unit.</summary>
    public IReadOnlyList<AppendBatch> Split() =>
        awaited.ConvertAll(append =>
        {
            var single = new AppendBatch();
            single.TryAdd(append);
            return single;
        });

    /// <summary>Answers every append; returns how many events were committed.</summary>
    public int Complete(AppendOutcome?[] outcomes)
    {
        var at = 0;
        foreach (var append in awaited)
        {
            var first = at;
            at += append.Before.Length + 1;
            // Of a unit that is not in the log, one without an outcome of its own waited for another one.
            var reason = Array.FindIndex(outcomes, first, at - first, outcome => outcome is not (Appended or null));
            append.Done.TrySetResult(
                reason < 0 ? outcomes[at - 1]!
                : append.Before is [] ? outcomes[reason]!
                : new Withheld(appends[reason].Stream, outcomes[reason]!)
            );
        }
        return outcomes.Sum(outcome => (outcome as Appended)?.Positions.Length ?? 0);
    }

    public void Fail(Exception fault)
    {
        foreach (var append in awaited)
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
    /// <returns>Of each append what became of it; null where that depends on another one of its unit.</returns>
    public async Task<AppendOutcome?[]> SendAsync(NpgsqlConnection connection, CancellationToken lost)
    {
        await using var command = new NpgsqlCommand(AreFencesOnly ? Fenced : Guarded, connection);
        command.CommandTimeout = 0;
        Bind(command.Parameters);
        var outcomes = new AppendOutcome?[appends.Count];
        await using var reader = await command.ExecuteReaderAsync(lost);
        while (await reader.ReadAsync(lost))
            outcomes[reader.GetInt64(0) - 1] = OutcomeOf(reader);
        return outcomes;
    }

    AppendOutcome? OutcomeOf(NpgsqlDataReader reader) =>
        reader.GetInt16(1) switch
        {
            0 => new Appended(reader.GetFieldValue<long[]>(3), reader.GetFieldValue<DateTimeOffset>(4)),
            1 => new Conflict(),
            2 => new FenceMoved(reader.GetInt64(2)),
            3 => new Taken(guards.ClaimAt(reader.GetInt64(2))),
            4 => new TargetMissing(guards.ReferenceAt(reader.GetInt64(2))),
            5 => new StillReferenced(),
            6 => null,
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
        guards.Bind(parameters, AreFencesOnly);
        if (AreFencesOnly)
            return;
        parameters.AddArray(NpgsqlDbType.Integer, unitEnds is [] ? [] : units.ToArray());
        parameters.AddArray(NpgsqlDbType.TimestampTz, unitEnds.ToArray());
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
