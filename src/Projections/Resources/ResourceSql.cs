using System.Globalization;
using System.Text;
using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The statements of <see cref="ResourceQueries"/>. Every value is a parameter; each statement is served by an index.
/// </summary>
public static partial class ResourceSql
{
    /// <summary>The scope of counts that are everyone's; no owner has this id.</summary>
    public const string Everyone = "*";

    const string Now = "select position, generation, head from resource_views_position, log_head()";

    /// <summary>Types that a reach allows whole have a branch each in a list, up to so many.</summary>
    const int MaxBranches = 8;

    const string Columns =
        "id, version, type, name, status, metadata, owner, created_at, created_by, updated_at, updated_by, deleted_at, type_version";

    /// <summary>
    /// Position and generation of the view, head of the log, count (null unless asked for) and columns of a page; one
    /// row without columns when the page is empty. All of it is of one snapshot, and the page is only read where the
    /// view has come as far as is wanted.
    /// </summary>
    /// <param name="wanted">The position that the view must have passed; null = the log's head.</param>
    public static string Page(
        NpgsqlParameterCollection parameters,
        ResourceSelection selection,
        ResourceSort sort,
        object[]? after,
        int limit,
        bool counting,
        long? wanted
    )
    {
        var isThere = $"now.position >= coalesce({parameters.Place(wanted, NpgsqlDbType.Bigint)}, now.head)";
        var count =
            !counting ? "null::bigint"
            : IsCounted(selection) ? Counted(parameters, selection)
            : $"(select count(*) from resource_views where {isThere} and {Where(parameters, selection, LivesOf(selection))})";
        // Not a parameter: without it PostgreSQL expects a tenth of all rows from the prepared statement, and plans
        // each call anew.
        var size = limit.ToString(CultureInfo.InvariantCulture);
        // Each branch is the continuation of one index; together they are the rest of the list. What a filter takes is
        // found by the filter.
        var parts = selection.Filter is null ? Parts(parameters, selection) : [Seen(parameters, selection)];
        var rows = sort.Member is null
            ? Rows(parameters, selection, sort, after, isThere, parts, size)
            : RowsByMember(parameters, selection, sort, after, isThere, parts, size);
        return $"with now as materialized ({Now}) select now.*, {count}, r.* from now left join lateral ({rows}) r on true";
    }

    static string Rows(
        NpgsqlParameterCollection parameters,
        ResourceSelection selection,
        ResourceSort sort,
        object[]? after,
        string isThere,
        string[] parts,
        string size
    )
    {
        var order = string.Join(", ", sort.Keys.Select(key => Column(key.Field) + (key.Descending ? " desc" : "")));
        var places = after is null ? new string?[] { null } : [.. After(parameters, sort, after)];
        var branches =
            from life in LivesOf(selection) is Lives.Either ? new[] { Lives.Live, Lives.Deleted } : [Lives.Live]
            from part in parts
            from place in places
            select $"""
                select {Columns} from resource_views where {isThere} and {part} and {Asked(
                    parameters,
                    selection,
                    life
                )}{(place is null ? "" : " and " + place)} order by {order} limit {size}
                """;
        var all = branches.ToArray();
        return all is [var only]
            ? only
            : $"select * from ({string.Join(" union all ", all.Select(branch => $"({branch})"))}) branches order by {order} limit {size}";
    }

    /// <summary>
    /// The position of the view; and of each resource that events behind another position up to there were about, its
    /// id and, where the selection has it, its columns. All of it is of one snapshot, so nothing is missed and nothing
    /// is newer than the position.
    /// </summary>
    public static string Changes(
        NpgsqlParameterCollection parameters,
        ResourceSelection selection,
        long after,
        int limit
    )
    {
        var behind = parameters.Place(after, NpgsqlDbType.Bigint);
        return $"""
            with now as materialized (select position from resource_views_position),
            touched as (select distinct stream_id from (select stream_id from mt_events, now where seq_id > {behind} and seq_id <= now.position and is_of_resource(type)) events limit {limit.ToString(
                CultureInfo.InvariantCulture
            )})
            select now.position, touched.stream_id, r.* from now left join touched on true
            left join lateral (select {Columns} from resource_views where id = touched.stream_id and {Where(
                parameters,
                selection,
                LivesOf(selection)
            )}) r on true
            """;
    }

    /// <summary>The place of each id that is within reach, and the columns of its resource, in the order of the ids.</summary>
    public static string OfIds(NpgsqlParameterCollection parameters, ResourceSelection selection, Guid[] ids)
    {
        var asked = parameters.Place(ids, NpgsqlDbType.Array | NpgsqlDbType.Uuid);
        return $"""
            select asked.place, {Columns} from unnest({asked}) with ordinality asked(asked_id, place) join resource_views on id = asked_id
            where {Where(parameters, selection, Lives.Live)} order by asked.place
            """;
    }

    /// <summary>
    /// Each id with the columns of the resources of a selection that refer to it, the newest first and at most
    /// <paramref name="limit"/> for each.
    /// </summary>
    /// <param name="path">Where in the metadata the reference is; a step <c>*</c> is any item of a list.</param>
    /// <param name="after">Time and id of a resource, behind which those that are shown come; null = from the start.</param>
    public static string Referring(
        NpgsqlParameterCollection parameters,
        ResourceSelection selection,
        string[] path,
        Guid[] ids,
        (DateTimeOffset Created, Guid Id)? after,
        int limit
    )
    {
        var asked = parameters.Place(ids, NpgsqlDbType.Array | NpgsqlDbType.Uuid);
        string Holds(string[] steps) =>
            "metadata @> "
            + steps
                .Reverse()
                .Aggregate("to_jsonb(asked_id::text)", (inner, step) =>
                    step is "*"
                        ? $"jsonb_build_array({inner})"
                        : $"jsonb_build_object({Text(parameters, step)}::text, {inner})"
                );
        // Where the path ends in a list, each item of it is a reference.
        var holds = path is [.., "*"] ? Holds(path) : $"({Holds(path)} or {Holds([.. path, "*"])})";
        var behind = "";
        if (after is var (created, last))
        {
            var time = parameters.Place(created, NpgsqlDbType.TimestampTz);
            behind = $" and (created_at, id) < ({time}, {parameters.Place(last, NpgsqlDbType.Uuid)})";
        }
        // Whoever refers is found first: in the order of the list it would be looked for among all.
        return $"""
            select asked_id, r.* from unnest({asked}) with ordinality asked(asked_id, place) cross join lateral (
                select {Columns} from (
                    select {Columns} from resource_views where {Where(
                        parameters,
                        selection,
                        Lives.Live
                    )} and {holds}{behind} offset 0
                ) found order by created_at desc, id desc limit {limit.ToString(CultureInfo.InvariantCulture)}
            ) r order by place, r.created_at desc, r.id desc
            """;
    }

    /// <summary>Counts a selection, but no further than <paramref name="most"/>.</summary>
    public static string CountUpTo(NpgsqlParameterCollection parameters, ResourceSelection selection, int most) =>
        $"""
            select count(*) from (select from resource_views where {Where(
                parameters,
                selection,
                LivesOf(selection)
            )} limit {most.ToString(CultureInfo.InvariantCulture)}) counted
            """;

    /// <summary>The planner's view of a selection.</summary>
    public static string Explain(NpgsqlParameterCollection parameters, ResourceSelection selection) =>
        $"explain (format json) select from resource_views where {Where(parameters, selection, LivesOf(selection))}";

    /// <summary>Whether the statistics know the count already.</summary>
    public static bool IsCounted(ResourceSelection selection) =>
        selection is { Filter: null, IncludeDeleted: false, Owner: not Everyone, NotOf: null }
        && (
            selection.Owner is null
            || selection.Visible.IsAll
            || selection.Visible.IsOwn && selection.Owner == selection.Visible.Account
        );

    static Lives LivesOf(ResourceSelection selection) => selection.IncludeDeleted ? Lives.Either : Lives.Live;

    static string Counted(NpgsqlParameterCollection parameters, ResourceSelection selection)
    {
        var sql = new StringBuilder("(select coalesce(sum(live), 0)::bigint from resource_totals where ").Append(
            Counts(parameters, selection.Owner, selection.Visible)
        );
        if (selection.Type is not null)
            sql.Append(" and type = ").Append(Text(parameters, selection.Type));
        if (selection.Status is not null)
            sql.Append(" and status = ").Append(Text(parameters, selection.Status));
        return sql.Append(')').ToString();
    }

    /// <summary>
    /// The condition for counts, which are kept for everyone and for each owner, to be those of an owner or within a reach.
    /// Each resource counts in one of them only.
    /// </summary>
    public static string Counts(NpgsqlParameterCollection parameters, string? owner, Reach visible)
    {
        if (owner is not null || visible.IsAll || visible.IsOwn)
            return $"scope = {Text(parameters, owner ?? (visible.IsAll ? Everyone : visible.Account))}";
        var types = Texts(parameters, visible.Scope.Types);
        var own = visible.Scope.Own ? "true" : $"type = any ({Texts(parameters, visible.Scope.OwnTypes)})";
        return $"""
            (scope = '{Everyone}' and type = any ({types}) or scope = {Text(
                parameters,
                visible.Account
            )} and type <> all ({types}) and {own})
            """;
    }

    /// <summary>
    /// Conditions that each show a part of what may be seen, and no resource twice: along the index of its type or of
    /// its owner. Where the selection is of one type that is all, or what the account owns, or nothing.
    /// </summary>
    static string[] Parts(NpgsqlParameterCollection parameters, ResourceSelection selection)
    {
        var visible = selection.Visible;
        var scope = visible.Scope;
        if (visible.IsAll || selection.Type is { } one && scope.Types.Contains(one))
            return ["true"];
        if (scope.IsNothing || selection.Type is { } other && !scope.Own && !scope.OwnTypes.Contains(other))
            return ["false"];
        if (visible.IsOwn || selection.Type is not null)
            return [$"owner = {Text(parameters, visible.Account)}"];
        var parts = new List<string>();
        if (scope.Types.Length > MaxBranches)
            parts.Add($"type = any ({Texts(parameters, scope.Types)})");
        else
            parts.AddRange(scope.Types.Select(type => $"type = {Text(parameters, type)}"));
        if (scope.Own)
            parts.Add(
                $"owner = {Text(parameters, visible.Account)} and type <> all ({Texts(parameters, scope.Types)})"
            );
        else if (scope.OwnTypes is not [])
            parts.Add(
                $"owner = {Text(parameters, visible.Account)} and type = any ({Texts(parameters, scope.OwnTypes)})"
            );
        return [.. parts];
    }

    /// <summary>The condition that a resource is within reach.</summary>
    internal static string Seen(NpgsqlParameterCollection parameters, ResourceSelection selection) =>
        $"({string.Join(" or ", Parts(parameters, selection))})";

    static string Where(NpgsqlParameterCollection parameters, ResourceSelection selection, Lives lives) =>
        $"{Seen(parameters, selection)} and {Asked(parameters, selection, lives)}";

    /// <summary>What the selection asks for, whatever may be seen.</summary>
    static string Asked(NpgsqlParameterCollection parameters, ResourceSelection selection, Lives lives)
    {
        var sql = new StringBuilder(
            lives switch
            {
                Lives.Live => "deleted_at is null",
                Lives.Deleted => "deleted_at is not null",
                _ => "true",
            }
        );
        if (selection.Type is not null)
            sql.Append(" and type = ").Append(Text(parameters, selection.Type));
        if (selection.Status is not null)
            sql.Append(" and status = ").Append(Text(parameters, selection.Status));
        if (selection.Owner is not null)
            sql.Append(" and owner = ").Append(Text(parameters, selection.Owner));
        if (selection.NotOf is { } version)
            sql.Append(" and type_version is distinct from ").Append(parameters.Place(version, NpgsqlDbType.Bigint));
        if (selection.Members?.Narrowest is { } range)
            sql.Append(
                CultureInfo.InvariantCulture,
                $" and id = any (array(select resource from resource_index where {range.Sql(parameters)}))"
            );
        if (selection.Filter is not null)
            sql.Append(" and ").Append(FilterSql.Write(selection.Filter, parameters, selection.Lexicon));
        return sql.ToString();
    }

    /// <summary>
    /// Conditions that together hold for the rows behind a place: for each key, equal in those before it and behind in
    /// itself. From where the keys run the same way to the end, one comparison of whole rows does.
    /// </summary>
    static List<string> After(NpgsqlParameterCollection parameters, ResourceSort sort, object[] place)
    {
        var keys = sort.Keys;
        var values = keys.Select((key, at) => Value(parameters, key.Field, place[at])).ToArray();
        var columns = keys.Select(key => Column(key.Field)).ToArray();
        var conditions = new List<string>();
        for (var at = 0; at < keys.Count; at++)
        {
            var tail = keys.Skip(at).All(key => key.Descending == keys[at].Descending) ? keys.Count : at + 1;
            var equal = string.Concat(
                Enumerable.Range(0, at).Select(before => $"{columns[before]} = {values[before]} and ")
            );
            conditions.Add(
                $"""
                {equal}({string.Join(", ", columns[at..tail])}) {(keys[at].Descending ? "<" : ">")} ({string.Join(
                    ", ",
                    values[at..tail]
                )})
                """
            );
            if (tail == keys.Count)
                break;
        }
        return conditions;
    }

    static string Column(SortField field) =>
        field switch
        {
            SortField.CreatedAt => "created_at",
            SortField.UpdatedAt => "updated_at",
            SortField.Name => "name",
            SortField.Type => "type",
            SortField.Status => "status",
            SortField.Owner => "owner",
            _ => "id",
        };

    static string Value(NpgsqlParameterCollection parameters, SortField field, object value) =>
        parameters.Place(
            value,
            field switch
            {
                SortField.CreatedAt or SortField.UpdatedAt => NpgsqlDbType.TimestampTz,
                SortField.Id => NpgsqlDbType.Uuid,
                _ => NpgsqlDbType.Text,
            }
        );

    static string Text(NpgsqlParameterCollection parameters, string value) =>
        parameters.Place(value, NpgsqlDbType.Text);

    static string Texts(NpgsqlParameterCollection parameters, string[] values) =>
        parameters.Place(values, NpgsqlDbType.Array | NpgsqlDbType.Text);

    /// <summary>Whether deleted resources are in a selection: each kind has indexes of its own.</summary>
    enum Lives
    {
        Live,
        Deleted,
        Either,
    }
}
