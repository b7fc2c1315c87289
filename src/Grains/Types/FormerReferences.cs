namespace Resources.Grains;

/// <summary>
/// References that were stored under rules which are no longer in force. They hold nothing; whoever meets them ends them.
/// </summary>
public sealed class FormerReferences(LogDb db, TypeBook types)
{
    /// <summary>So many are looked at, and ended, at a time.</summary>
    const int PageSize = 1_000;

    /// <summary>Ends the former references to a resource.</summary>
    /// <returns>
    /// Whether there were any, or none is left, as others end them at the same time; and the change of a type by which alone
    /// the others stand, null where rules in force have some.
    /// </returns>
    public async Task<(bool Ended, Guid? Change)> EndAsync(Guid target)
    {
        for (var ended = false; ; ended = true)
        {
            var stored = await ReadAsync(target);
            // A rule that this node does not know may be a new one.
            foreach (var name in stored.Select(one => one.Type).Distinct())
                await types.RefreshAsync(name);
            var over = stored.FindAll(one => !types[one.Type].Uses(one.Field));
            if (over is not [])
                await EndAsync(target, over);
            if (over.Count < PageSize)
                return (
                    ended || over is not [] || stored is [],
                    stored.Count < PageSize ? ChangeOf(stored.Except(over)) : null
                );
        }
    }

    Task<List<(Guid Source, int Field, string Type)>> ReadAsync(Guid target) =>
        db.QueryAsync(
            $"""
            select r.source, r.field, e.data ->> 'type' from resource_references r
            join mt_events e on e.stream_id = r.source and e.version = 1
            where r.target = $1 and r.source <> $1 limit {PageSize}
            """,
            [Arg.Of(target)],
            reader => (reader.GetGuid(0), reader.GetInt32(1), reader.GetString(2))
        );

    Task EndAsync(Guid target, List<(Guid Source, int Field, string Type)> over) =>
        db.ExecuteAsync(
            """
            delete from resource_references r using unnest($2, $3) o(source, field)
            where r.source = o.source and r.field = o.field and r.target = $1
            """,
            [
                Arg.Of(target),
                Arg.Of(over.Select(one => one.Source).ToArray()),
                Arg.Of(over.Select(one => one.Field).ToArray()),
            ]
        );

    Guid? ChangeOf(IEnumerable<(Guid Source, int Field, string Type)> held)
    {
        var rules = held.Select(one => (Type: types[one.Type], one.Field)).ToArray();
        return rules is [var first, ..] && Array.TrueForAll(rules, one => one.Type.IsNew(one.Field))
            ? first.Type.Change
            : null;
    }
}
