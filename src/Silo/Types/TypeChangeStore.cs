using System.Text.Json;
using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>How far the check of a change has come.</summary>
/// <param name="Last">The place of the last resource that was looked at.</param>
/// <param name="Migrated">How many resources were migrated; after the death of a node some may be counted twice.</param>
public sealed record TypeChangeProgress(
    object[]? Last,
    long Checked,
    long Offending,
    TypeOffender[] Offenders,
    long Migrated = 0
)
{
    /// <summary>Examples of a report have so many characters together.</summary>
    const int MaxReport = 256 << 10;

    public static readonly TypeChangeProgress None = new(null, 0, 0, []);

    public TypeReport Report => new(Checked, Offending, Offenders);

    /// <summary>How far it has come after another page.</summary>
    public TypeChangeProgress After(CheckedPage page)
    {
        var offenders = Offenders.ToList();
        var size = offenders.Sum(SizeOf);
        foreach (var offender in page.Offenders)
            if (offenders.Count < TypeCheck.MaxOffenders && (size += SizeOf(offender)) <= MaxReport)
                offenders.Add(offender);
        return this with
        {
            Last = page.Last ?? Last,
            Checked = Checked + page.Count,
            Offending = Offending + page.Offenders.Count,
            Offenders = [.. offenders],
        };
    }

    static int SizeOf(TypeOffender offender) =>
        offender.Errors.Sum(fault => fault.Pointer.Length + fault.Detail.Length);
}

/// <summary>What nodes note of changes that are being checked, and what those enter into the tables of guards.</summary>
public sealed class TypeChangeStore(FollowDb db)
{
    /// <summary>Rows that are deleted in one statement.</summary>
    const int SweepSize = 5_000;

    /// <summary>How far the check of a change has come; null where nothing was looked at.</summary>
    public async Task<TypeChangeProgress?> ReadAsync(Guid change, CancellationToken ct) =>
        (
            await db.QueryAsync(
                "select after_time, after_id, checked, offending, offenders::text, migrated from type_changes where change = $1",
                [Arg.Of(change)],
                reader => new TypeChangeProgress(
                    reader.IsDBNull(0) ? null : [reader.GetFieldValue<DateTimeOffset>(0), reader.GetGuid(1)],
                    reader.GetInt64(2),
                    reader.GetInt64(3),
                    JsonSerializer.Deserialize<TypeOffender[]>(reader.GetString(4), EventKinds.Json)!,
                    reader.GetInt64(5)
                ),
                ct
            )
        ).FirstOrDefault();

    /// <summary>Notes that a change is being checked, unless that is known.</summary>
    public Task BeginAsync(Guid type, Guid change, CancellationToken ct) =>
        db.ExecuteAsync(
            "insert into type_changes (type, change) values ($1, $2) on conflict do nothing",
            [Arg.Of(type), Arg.Of(change)],
            ct
        );

    public Task WriteAsync(Guid type, Guid change, TypeChangeProgress progress, CancellationToken ct) =>
        db.ExecuteAsync(
            """
            insert into type_changes (type, change, after_time, after_id, checked, offending, offenders) values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (change) do update set after_time = excluded.after_time, after_id = excluded.after_id,
                checked = excluded.checked, offending = excluded.offending, offenders = excluded.offenders
            """,
            [
                Arg.Of(type),
                Arg.Of(change),
                Arg.Of((DateTimeOffset?)progress.Last?[0]),
                Arg.Of((Guid?)progress.Last?[1]),
                Arg.Of(progress.Checked),
                Arg.Of(progress.Offending),
                Arg.Json(JsonSerializer.Serialize(progress.Offenders, EventKinds.Json)),
            ],
            ct
        );

    /// <summary>Notes that more resources were migrated.</summary>
    public Task AddMigratedAsync(Guid type, Guid change, int count, CancellationToken ct) =>
        db.ExecuteAsync(
            """
            insert into type_changes (type, change, migrated) values ($1, $2, $3)
            on conflict (change) do update set migrated = type_changes.migrated + excluded.migrated
            """,
            [Arg.Of(type), Arg.Of(change), Arg.Of(count)],
            ct
        );

    /// <summary>Notes that no node goes on with a migration before a time has passed.</summary>
    public Task PauseAsync(Guid change, TimeSpan pause, CancellationToken ct) =>
        db.ExecuteAsync(
            "update type_changes set not_before = clock_timestamp() + $2 * interval '1 millisecond' where change = $1",
            [Arg.Of(change), Arg.Of((long)pause.TotalMilliseconds)],
            ct
        );

    /// <summary>How long no node goes on with a migration, by the clock of the database.</summary>
    public async Task<TimeSpan> PauseLeftAsync(Guid change, CancellationToken ct) =>
        TimeSpan.FromMilliseconds(
            await db.ScalarAsync<long>(
                "select (extract(epoch from not_before - clock_timestamp()) * 1000)::bigint from type_changes where change = $1",
                [Arg.Of(change)],
                ct
            )
        );

    /// <summary>Removes the notes of a type's changes that are decided.</summary>
    public Task RemoveDecidedAsync(Guid type, CancellationToken ct) =>
        db.ExecuteAsync(
            """
            delete from type_changes c where c.type = $1 and c.change::text is distinct from (
                select case when e.type in ('type.change_proposed', 'type.migration_begun', 'type.migration_closing') then e.data ->> 'change' end
                from mt_events e where e.stream_id = $1 order by e.version desc limit 1)
            """,
            [Arg.Of(type)],
            ct
        );

    /// <summary>The names of the types that have notes of changes.</summary>
    public Task<List<string>> NotedAsync(CancellationToken ct) =>
        db.QueryAsync(
            "select distinct e.data ->> 'name' from type_changes c join mt_events e on e.stream_id = c.type and e.version = 1",
            [],
            reader => reader.GetString(0),
            ct
        );

    /// <summary>Enters what resources have under the rules of a proposal.</summary>
    /// <param name="proposal">The newest event of the type, which is the proposal.</param>
    /// <returns>Those that cannot be entered; null, and nothing is entered, where the proposal is decided already.</returns>
    public async Task<List<TypeOffender>?> EnterAsync(
        Fence proposal,
        IReadOnlyList<CheckedRow> rows,
        CancellationToken ct
    )
    {
        var claims = rows.SelectMany((row, at) => row.Claims.Select(claim => (At: at + 1, Claim: claim))).ToArray();
        var references = rows.SelectMany(
                (row, at) => row.References.Select(reference => (At: at + 1, Reference: reference))
            )
            .ToArray();
        var refused = await db.QueryAsync(
            "select claim, reference from enter_type_rules($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            [
                Arg.Of(proposal.Stream),
                Arg.Of(proposal.Position),
                Arg.Of(rows.Select(row => row.Id).ToArray()),
                Arg.Of(rows.Select(row => row.Version).ToArray()),
                Arg.Of(Array.ConvertAll(claims, one => one.At)),
                Arg.Of(Array.ConvertAll(claims, one => one.Claim.Rule)),
                Arg.Bytes(Array.ConvertAll(claims, one => one.Claim.Value)),
                Arg.Of(Array.ConvertAll(references, one => one.At)),
                Arg.Of(Array.ConvertAll(references, one => one.Reference.Field)),
                Arg.Of(Array.ConvertAll(references, one => one.Reference.Target)),
                Arg.Of(Array.ConvertAll(references, one => one.Reference.Type)),
            ],
            reader => (Claim: (int?)reader.LongOrNull(0) - 1, Reference: (int?)reader.LongOrNull(1) - 1),
            ct
        );
        if (refused is [(null, null)])
            return null;
        var taken = refused.Where(one => one.Claim is not null).ToLookup(one => claims[one.Claim!.Value].At);
        var missing = refused
            .Where(one => one.Reference is not null)
            .ToLookup(one => references[one.Reference!.Value].At);
        return
        [
            .. rows.SelectMany(
                (row, at) =>
                    TypeCheck.Offenders(
                        row,
                        taken[at + 1].Select(one => claims[one.Claim!.Value].Claim),
                        missing[at + 1].Select(one => references[one.Reference!.Value].Reference)
                    )
            ),
        ];
    }

    /// <summary>Those targets of references that are not live resources of the type that they have to be of.</summary>
    public static async Task<HashSet<(Guid Target, string Type)>> MissingAsync(
        NpgsqlConnection connection,
        Reference[] references,
        CancellationToken ct
    )
    {
        var missing = new HashSet<(Guid, string)>();
        if (references is [])
            return missing;
        await using var command = new NpgsqlCommand(
            """
            select r.target, r.type from (select distinct * from unnest($1, $2) asked(target, type)) r
            where not exists (select from resource_views v where v.id = r.target and v.type = r.type and v.deleted_at is null)
            """,
            connection
        );
        command.Parameters.Add(Arg.Of(Array.ConvertAll(references, reference => reference.Target)));
        command.Parameters.Add(Arg.Of(Array.ConvertAll(references, reference => reference.Type)));
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            missing.Add((reader.GetGuid(0), reader.GetString(1)));
        return missing;
    }

    /// <summary>The former rules of which nothing is stored any more.</summary>
    public async Task<HashSet<(Guid Type, int Rule)>> SweptAsync(CancellationToken ct) =>
        [
            .. await db.QueryAsync(
                "select type, rule from swept_type_rules",
                [],
                reader => (reader.GetGuid(0), reader.GetInt32(1)),
                ct
            ),
        ];

    /// <summary>The rules that a type has, had, or was to have, apart from those of which nothing is stored any more.</summary>
    public Task<List<(int Rule, bool IsReference)>> UnsweptAsync(Guid type, CancellationToken ct) =>
        db.QueryAsync(
            """
            select distinct f.value::int, f.key like '/%' from mt_events e cross join lateral jsonb_each_text(e.data -> 'fields') f
            where e.stream_id = $1 and e.type in ('type.change_proposed', 'type.changed')
                and not exists (select from swept_type_rules s where s.type = $1 and s.rule = f.value::int)
            """,
            [Arg.Of(type)],
            reader => (reader.GetInt32(0), reader.GetBoolean(1)),
            ct
        );

    /// <summary>Deletes what former rules of a type have left.</summary>
    public async Task SweepAsync(string name, IReadOnlyList<(int Rule, bool IsReference)> rules, CancellationToken ct)
    {
        var type = TypeState.StreamOf(name);
        var references = rules.Where(rule => rule.IsReference).Select(rule => rule.Rule).ToArray();
        await SweepClaimsAsync(type, [.. rules.Select(rule => rule.Rule).Except(references)], ct);
        if (references is not [])
            await SweepReferencesAsync(name, references, ct);
        await db.ExecuteAsync(
            "insert into swept_type_rules (type, rule) select $1, unnest($2) on conflict do nothing",
            [Arg.Of(type), Arg.Of(rules.Select(rule => rule.Rule).ToArray())],
            ct
        );
    }

    async Task SweepClaimsAsync(Guid type, int[] rules, CancellationToken ct)
    {
        while (
            await db.ExecuteAsync(
                $"""
                delete from unique_claims where (scope, rule, value) in (
                    select scope, rule, value from unique_claims where scope = $1 and rule = any ($2) limit {SweepSize})
                """,
                [Arg.Of(type), Arg.Of(rules)],
                ct
            ) > 0
        ) { }
    }

    /// <summary>Along the whole table, as it does not know the types of its sources.</summary>
    async Task SweepReferencesAsync(string name, int[] rules, CancellationToken ct)
    {
        for (var (after, field, target) = (Guid.Empty, 0, Guid.Empty); ; )
        {
            var page = await db.QueryAsync(
                $"""
                with page as (
                    select source, field, target from resource_references where (source, field, target) > ($3, $4, $5) order by source, field, target limit {SweepSize}),
                gone as (
                    delete from resource_references r using page p, mt_events e
                    where p.field = any ($2) and e.stream_id = p.source and e.version = 1 and e.data ->> 'type' = $1
                        and r.source = p.source and r.field = p.field and r.target = p.target)
                select source, field, target from page order by source desc, field desc, target desc limit 1
                """,
                [Arg.Of(name), Arg.Of(rules), Arg.Of(after), Arg.Of(field), Arg.Of(target)],
                reader => (reader.GetGuid(0), reader.GetInt32(1), reader.GetGuid(2)),
                ct
            );
            if (page is not [var last])
                return;
            (after, field, target) = last;
        }
    }
}
