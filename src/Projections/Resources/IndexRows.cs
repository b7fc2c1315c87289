using System.Globalization;
using JasperFx.Events;
using Marten;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The rows of indexed members in one generation of the read model. The projection writes those of the resources that it
/// writes; those of the others are entered between its pages. Whoever keeps the generation is alone with its tables.
/// </summary>
sealed class IndexRows(int generation)
{
    /// <summary>So many resources are entered, or rows removed, in one transaction: lists wait for it.</summary>
    const int PieceSize = 1_000;

    const int RemovedSize = 10_000;

    const string Building = "building";
    const string Leaving = "leaving";

    /// <summary>A member that the generation has rows of.</summary>
    sealed record Member(
        int Number,
        string Type,
        string Pointer,
        DateTimeOffset Declared,
        bool IsTime,
        string Collation,
        long Since,
        string State
    )
    {
        public Key Key => new(Type, Pointer, Declared, IsTime, Collation);
    }

    /// <summary>What tells members apart. There are many thousands of them, which are found by it.</summary>
    readonly record struct Key(string Type, string Pointer, DateTimeOffset Declared, bool IsTime, string Collation);

    /// <summary>The members of the table, in the order of their numbers.</summary>
    sealed record Table(IReadOnlyList<Member> Members)
    {
        public HashSet<Key> Keys { get; } = [.. Members.Select(member => member.Key)];

        public HashSet<string> Types { get; } = [.. Members.Select(member => member.Type)];
    }

    readonly string members = $"resource_index_members_{Text(generation)}";
    readonly string index = $"resource_index_{Text(generation)}";
    readonly string views = $"resource_views_{Text(generation)}";

    /// <summary>Null until the table was read, and after a change of it.</summary>
    Table? known;

    /// <summary>The declared members that were found in the table, and no others; null while there is something to do.</summary>
    IReadOnlyCollection<IndexedMembers>? settled;

    /// <summary>Queues the rows of resources that a page of events has written, once those are written.</summary>
    public async Task QueueAsync(
        IDocumentOperations operations,
        IReadOnlyList<IEvent> events,
        IReadOnlyCollection<ResourceViewChange> changes,
        CancellationToken ct
    )
    {
        known ??= await ReadAsync(operations.Connection!, ct);
        if (known.Members is [])
            return;
        // Writes of a declared type tell that it is one, but for deletions, and but for those from before it was declared.
        var areAllSuspect = events[0].Sequence <= known.Members.Max(member => member.Since);
        var written = changes
            .Where(change =>
                change.Created is { Type: var type }
                    ? known.Types.Contains(type)
                    : areAllSuspect || change.Deletion || change.TypeVersion is not null
            )
            .ToArray();
        if (written is [])
            return;
        var ids = Array.ConvertAll(written, change => change.Id);
        operations.QueueSqlCommand(
            Enter(
                "m.state <> 'leaving'",
                $"(select id, type, metadata from {views} where id = any (?) and deleted_at is null)"
            ),
            ids
        );
        if (written.Any(change => change.Deletion))
            operations.QueueSqlCommand(Leave("?"), ids);
    }

    /// <summary>Whether there is something to do, as far as is known without asking the database.</summary>
    /// <param name="declared">The same object as before is not looked at again.</param>
    public bool AreBehind(IReadOnlyCollection<IndexedMembers> declared)
    {
        if (known is null)
            return true;
        if (ReferenceEquals(declared, settled))
            return false;
        var keys = KeysOf(declared);
        var areBehind = !keys.SetEquals(known.Keys) || known.Members.Any(member => member.State is Building or Leaving);
        settled = areBehind ? null : declared;
        return areBehind;
    }

    /// <summary>Brings the members of the table closer to those that are declared, by one piece of work.</summary>
    public async Task TendAsync(
        NpgsqlTransaction transaction,
        IReadOnlyCollection<IndexedMembers> declared,
        CancellationToken ct
    )
    {
        var connection = transaction.Connection!;
        known ??= await ReadAsync(connection, ct);
        var keys = KeysOf(declared);
        Member? First(Func<Member, bool> condition) => known.Members.FirstOrDefault(condition);
        if (keys.Where(key => !known.Keys.Contains(key)).ToArray() is not [] and var missing)
            foreach (var key in missing)
                await AddAsync(connection, key, ct);
        else if (First(member => member.State is not Leaving && !keys.Contains(member.Key)) is { } former)
            await ExecuteAsync(connection, $"update {members} set state = 'leaving' where member = $1", former, ct);
        else if (First(member => member.State is Building) is { } building)
            await ExecuteAsync(connection, Build(), building, ct);
        else if (First(member => member.State is Leaving) is { } leaving)
            await ExecuteAsync(connection, Remove(), leaving, ct);
        else
            return;
        // Whether it is committed is seen when the table is read again.
        (known, settled) = (null, null);
    }

    static HashSet<Key> KeysOf(IEnumerable<IndexedMembers> declared) =>
        [
            .. declared.SelectMany(type =>
                type.Members.Select(member => new Key(
                    type.Type,
                    member.Pointer,
                    type.Declared,
                    member.IsTime,
                    member.Collation
                ))
            ),
        ];

    async Task<Table> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"select member, type, pointer, declared, is_time, text_order, since, state from {members} order by member",
            connection
        );
        await using var reader = await command.ExecuteReaderAsync(ct);
        var found = new List<Member>();
        while (await reader.ReadAsync(ct))
            found.Add(
                new(
                    reader.GetInt32(0),
                    reader.GetString(1),
                    reader.GetString(2),
                    reader.GetFieldValue<DateTimeOffset>(3),
                    reader.GetBoolean(4),
                    reader.GetString(5),
                    reader.GetInt64(6),
                    reader.GetString(7)
                )
            );
        return new(found);
    }

    async Task AddAsync(NpgsqlConnection connection, Key member, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(
            $"""
            insert into {members} (type, pointer, declared, is_time, text_order, path, since)
            select $1, $2, $3, $4, $5, $6, head from log_head()
            """,
            connection
        )
        {
            Parameters =
            {
                Arg.Of(member.Type),
                Arg.Of(member.Pointer),
                Arg.Of(member.Declared),
                Arg.Of(member.IsTime),
                Arg.Of(member.Collation),
                Arg.Of(JsonPointer.Parse(member.Pointer)![1..]),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, Member member, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { Arg.Of(member.Number) } };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Enters rows of resources; one that is there is written only where it differs.</summary>
    string Enter(string condition, string resources) =>
        $"""
            insert into {index} as i (member, resource, number, text, collated)
            select m.member, v.id, indexed_number(v.metadata #> m.path), indexed_text(v.metadata #> m.path, m.is_time),
                case when m.text_order <> '{Collations.CodePoints}' then indexed_text(v.metadata #> m.path, m.is_time) end
            from {resources} v join {members} m on m.type = v.type and {condition}
            on conflict (member, resource) do update set number = excluded.number, text = excluded.text, collated = excluded.collated
            where (i.number, i.text, i.collated) is distinct from (excluded.number, excluded.text, excluded.collated)
            """;

    string Build() =>
        $"""
            with page as materialized (
                select v.* from {members} m cross join lateral (
                    select id, type, metadata, created_at from {views} v
                    where v.type = m.type and v.deleted_at is null and (v.created_at, v.id) < (m.place_time, m.place_id)
                    order by v.created_at desc, v.id desc limit {PieceSize}
                ) v where m.member = $1
            ),
            entered as ({Enter("m.member = $1", "page")})
            update {members} set
                place_time = coalesce((select min(created_at) from page), place_time),
                place_id = coalesce((select id from page order by created_at, id limit 1), place_id),
                state = case when (select count(*) from page) < {PieceSize} then 'ready' else state end
            where member = $1
            """;

    /// <summary>
    /// Removes the rows of deleted resources. While an index is built, PostgreSQL takes its table for small and would read all
    /// of it, so each row is found by its key, one by one.
    /// </summary>
    /// <param name="ids">The parameter that has the ids of resources, deleted or not.</param>
    internal string Leave(string ids) =>
        $"""
            with written as materialized (select id, type, deleted_at from {views} where id = any ({ids}))
            delete from {index} where ctid = any (array(
                select found.place from written v join {members} m on m.type = v.type
                cross join lateral (select ctid as place from {index} i where i.member = m.member and i.resource = v.id offset 0) found
                where v.deleted_at is not null
            ))
            """;

    string Remove() =>
        $"""
            with gone as (
                delete from {index} where member = $1 and resource in (select resource from {index} where member = $1 limit {RemovedSize}) returning 1
            )
            delete from {members} where member = $1 and (select count(*) from gone) < {RemovedSize}
            """;

    static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
