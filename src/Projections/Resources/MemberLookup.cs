using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// What a list knows of indexed members, at the moment of which its rows are: whether the one that it is sorted by is
/// ready, and which one leads to few rows.
/// </summary>
public sealed class MemberLookup
{
    /// <summary>
    /// A range of no more rows than this leads to them. For more, the list is walked.
    /// </summary>
    public const int MaxDriven = 2_000;

    /// <summary>In a statement of its own, as with the lexicon: the next one takes the snapshot.</summary>
    const string Lock = "lock table resource_index_members, resource_index in access share mode";

    MemberLookup() { }

    /// <summary>The number of the member that the list is sorted by; null = none.</summary>
    public int? Sorted { get; private set; }

    /// <summary>Whether the texts of that member have an order beside that of their code points.</summary>
    public bool IsCollated { get; private set; }

    /// <summary>What the filter says of the member that the list is sorted by.</summary>
    public MemberRange? OfSorted { get; private set; }

    /// <summary>Whether no more than <see cref="MaxDriven"/> rows lack the member that the list is sorted by.</summary>
    public bool AreFewWithout { get; private set; }

    /// <summary>Leads to few rows; null where none does.</summary>
    public MemberRange? Narrowest { get; private set; }

    /// <summary>Whether there is something to look up.</summary>
    public static bool IsNeeded(ResourceSelection selection, ResourceSort? sort) =>
        sort?.Member is not null || MemberRange.In(selection.Filter, selection.Indexed) is not [];

    /// <summary>Looks members up in a transaction that is REPEATABLE READ, and in which the rows are read.</summary>
    /// <exception cref="NotIndexedException">The order is by a member that has no index, or not yet.</exception>
    public static async Task<MemberLookup> ReadAsync(
        NpgsqlTransaction transaction,
        ResourceSelection selection,
        ResourceSort? sort,
        CancellationToken ct
    )
    {
        var found = new MemberLookup();
        var sorted = sort?.Member is { } path
            ? selection.Indexed?.Members.FirstOrDefault(member => member.Path == path)
                ?? throw new NotIndexedException(path, isBuilding: false)
            : null;
        var ranges = MemberRange.In(selection.Filter, selection.Indexed);
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        batch.BatchCommands.Add(new(Lock));
        if (sorted is not null)
            batch.BatchCommands.Add(Find(selection.Indexed!, sorted, _ => ResourceSql.LacksMember));
        var others = ranges.Where(range => !IsInOrder(range, sorted)).ToArray();
        foreach (var range in others)
            batch.BatchCommands.Add(Find(selection.Indexed!, range.Member, range.Bounds));
        await using var reader = await batch.ExecuteReaderAsync(ct);
        if (sorted is not null)
        {
            found.Sorted = await reader.ReadAsync(ct)
                ? reader.GetInt32(0)
                : throw new NotIndexedException(sorted.Path, isBuilding: true);
            found.AreFewWithout = reader.GetInt64(1) <= MaxDriven;
            found.IsCollated = sorted.Collation is not Collations.CodePoints;
            found.OfSorted = Array.Find(ranges, range => IsInOrder(range, sorted))?.Of(found.Sorted.Value);
            await reader.NextResultAsync(ct);
        }
        var fewest = (long)MaxDriven;
        foreach (var range in others)
        {
            if (await reader.ReadAsync(ct))
            {
                var known = range.Of(reader.GetInt32(0));
                if (range.Member == sorted)
                    found.OfSorted = known;
                if (reader.GetInt64(1) is var count && count <= fewest)
                    (found.Narrowest, fewest) = (known, count);
            }
            await reader.NextResultAsync(ct);
        }
        return found;
    }

    /// <summary>Whether what a range takes stands together in the order of the list.</summary>
    static bool IsInOrder(MemberRange range, IndexedMember? sorted) =>
        range.Member == sorted && (range.Column is "number" || sorted.Collation is Collations.CodePoints);

    /// <summary>The numbers of members in a transaction that is REPEATABLE READ, and in which their rows are read.</summary>
    /// <exception cref="NotIndexedException">A member has no index, or not yet.</exception>
    public static async Task<int[]> NumbersAsync(
        NpgsqlTransaction transaction,
        IndexedMembers? indexed,
        IReadOnlyList<string> paths,
        CancellationToken ct
    )
    {
        if (paths is [])
            return [];
        var members = paths
            .Select(path =>
                indexed?.Members.FirstOrDefault(member => member.Path == path)
                ?? throw new NotIndexedException(path, isBuilding: false)
            )
            .ToArray();
        await using var batch = new NpgsqlBatch(transaction.Connection, transaction);
        batch.BatchCommands.Add(new(Lock));
        foreach (var member in members)
            batch.BatchCommands.Add(Find(indexed!, member, null));
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var numbers = new int[members.Length];
        foreach (var (at, member) in members.Index())
        {
            numbers[at] = await reader.ReadAsync(ct)
                ? reader.GetInt32(0)
                : throw new NotIndexedException(member.Path, isBuilding: true);
            await reader.NextResultAsync(ct);
        }
        return numbers;
    }

    /// <summary>The number of a member that is ready, and how many rows a condition takes, as far as that is of use.</summary>
    static NpgsqlBatchCommand Find(
        IndexedMembers indexed,
        IndexedMember member,
        Func<NpgsqlParameterCollection, string>? condition
    )
    {
        var command = new NpgsqlBatchCommand();
        var parameters = command.Parameters;
        var count = condition is null
            ? "0::bigint"
            : $"""
                (select count(*) from (select from resource_index i where i.member = m.member and {condition(
                    parameters
                )} limit {MaxDriven + 1}) few)
                """;
        command.CommandText = $"""
            select m.member, {count} from resource_index_members m
            where m.type = {parameters.Place(indexed.Type, NpgsqlDbType.Text)} and m.pointer = {parameters.Place(
                member.Pointer,
                NpgsqlDbType.Text
            )} and m.declared = {parameters.Place(
                indexed.Declared,
                NpgsqlDbType.TimestampTz
            )} and m.is_time = {parameters.Place(member.IsTime, NpgsqlDbType.Boolean)} and m.text_order = {parameters.Place(
                member.Collation,
                NpgsqlDbType.Text
            )} and m.state = 'ready'
            """;
        return command;
    }
}

/// <summary>A page was asked for behind a place in an order that its list had before its type changed.</summary>
public sealed class OtherOrderException : Exception;

/// <summary>A list was asked for in the order of a member that has no index.</summary>
public sealed class NotIndexedException(string member, bool isBuilding)
    : Exception(
        isBuilding
            ? $"The index of {member} is still being built."
            : $"{member} is no indexed member of the type. Name a type, and a member that it declares as indexed."
    )
{
    /// <summary>The path of the member.</summary>
    public string Member { get; } = member;

    /// <summary>Whether it has one soon.</summary>
    public bool IsBuilding { get; } = isBuilding;
}
