namespace Resources.Grains;

/// <summary>A reference to a resource from another one.</summary>
/// <param name="Rules">The rules of the type of the source, which know the field.</param>
/// <param name="Owner">The owner of the source.</param>
/// <param name="ReadAt">When it was read, by the clock of the database.</param>
public sealed record StoredReference(
    Guid Source,
    int Field,
    Guid Target,
    TypeRules Rules,
    string Owner,
    DateTimeOffset ReadAt
)
{
    /// <summary>The change of the type that alone asks for it; null where the definition in force does.</summary>
    public Guid? Change => Rules.IsNew(Field) ? Rules.Change : null;
}

/// <summary>
/// The references that are stored. Those of rules that are no longer in force hold nothing; whoever meets them ends them.
/// </summary>
public sealed class StoredReferences(LogDb db, TypeBook types)
{
    /// <summary>
    /// The references to resources, of a number of sources at most, by rules that the book knows. Former ones are ended
    /// before, as many as there are.
    /// </summary>
    public async Task<List<StoredReference>> ReadAsync(Guid[] targets, int most)
    {
        while (true)
        {
            var stored = await FindAsync(targets, most);
            // A rule that this node does not know may be a new one, and nobody is refused by a rule of the past.
            var rules = new Dictionary<string, TypeRules>();
            foreach (var name in stored.Select(one => one.Type).Distinct())
                rules[name] = await types.RefreshAsync(name);
            var former = stored.FindAll(one => rules[one.Type].ReferenceOf(one.Field) is null);
            if (former is [])
                return stored.ConvertAll(one => new StoredReference(
                    one.Source,
                    one.Field,
                    one.Target,
                    rules[one.Type],
                    one.Owner,
                    one.At
                ));
            await EndAsync(former);
        }
    }

    Task<List<Row>> FindAsync(Guid[] targets, int most) =>
        db.QueryAsync(
            """
            with referring as (select distinct source from resource_references where target = any ($1) and source <> target limit $2)
            select r.source, r.field, r.target, e.data ->> 'type', e.data ->> 'owner', clock_timestamp()
            from referring join resource_references r on r.source = referring.source and r.target = any ($1) and r.source <> r.target
            join mt_events e on e.stream_id = r.source and e.version = 1
            """,
            [Arg.Of(targets), Arg.Of(most)],
            reader => new Row(
                reader.GetGuid(0),
                reader.GetInt32(1),
                reader.GetGuid(2),
                reader.GetString(3),
                reader.GetString(4),
                reader.GetFieldValue<DateTimeOffset>(5)
            )
        );

    Task EndAsync(List<Row> former) =>
        db.ExecuteAsync(
            """
            delete from resource_references r using unnest($1, $2, $3) o(source, field, target)
            where r.source = o.source and r.field = o.field and r.target = o.target
            """,
            [
                Arg.Of(former.Select(one => one.Source).ToArray()),
                Arg.Of(former.Select(one => one.Field).ToArray()),
                Arg.Of(former.Select(one => one.Target).ToArray()),
            ]
        );

    readonly record struct Row(Guid Source, int Field, Guid Target, string Type, string Owner, DateTimeOffset At);
}
