namespace Resources.Grains;

/// <summary>
/// References that were stored under rules which are no longer in force. They hold nothing; whoever meets them ends them.
/// </summary>
public sealed class FormerReferences(LogDb db, TypeBook types)
{
    /// <summary>So many are looked at; what has more referrers is held by some of them.</summary>
    const int Most = 1_000;

    /// <summary>Ends the former references to a resource; whether there were any.</summary>
    public async Task<bool> EndAsync(Guid target)
    {
        var stored = await db.QueryAsync(
            $"""
            select r.source, r.field, e.data ->> 'type' from resource_references r
            join mt_events e on e.stream_id = r.source and e.version = 1
            where r.target = $1 and r.source <> $1 limit {Most}
            """,
            [Arg.Of(target)],
            reader => (Source: reader.GetGuid(0), Field: reader.GetInt32(1), Type: reader.GetString(2))
        );
        // A rule that this node does not know may be a new one.
        foreach (var name in stored.Select(one => one.Type).Distinct())
            await types.RefreshAsync(name);
        var over = stored.Where(one => !types[one.Type].Uses(one.Field)).ToArray();
        return over is not []
            && await db.ExecuteAsync(
                """
                delete from resource_references r using unnest($2, $3) o(source, field)
                where r.source = o.source and r.field = o.field and r.target = $1
                """,
                [
                    Arg.Of(target),
                    Arg.Of(Array.ConvertAll(over, one => one.Source)),
                    Arg.Of(Array.ConvertAll(over, one => one.Field)),
                ]
            ) > 0;
    }
}
