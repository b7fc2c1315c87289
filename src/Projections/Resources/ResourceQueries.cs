using System.Data;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>A row of a list: the resource with its id and version.</summary>
public sealed record ResourceRow(Guid Id, long Version, Resource Resource)
{
    /// <summary>Where the list is in the order of a member, the row's place in it.</summary>
    public string? Sorted { get; init; }

    /// <summary>What it refers to, by the names of its references; null unless asked for.</summary>
    public IReadOnlyDictionary<string, Referred>? Referred { get; init; }
}

/// <summary>What a resource refers to by one rule, as far as a caller may see it.</summary>
/// <param name="IsList">Whether the rule, or the resource, has a list of references.</param>
public sealed record Referred(bool IsList, IReadOnlyList<ResourceRow> Rows);

/// <summary>Which resources a list is about. Every part narrows it.</summary>
/// <param name="Visible">Only these resources may be seen.</param>
/// <param name="Lexicon">What is known of the words that the filter searches for; it narrows nothing.</param>
/// <param name="NotOf">Only resources that were last checked against another version of their type.</param>
/// <param name="Indexed">The indexed members of the type, where they may be of use.</param>
/// <param name="Members">What is known of them; it narrows nothing.</param>
public sealed record ResourceSelection(
    Reach Visible,
    string? Type = null,
    string? Status = null,
    string? Owner = null,
    Filter? Filter = null,
    bool IncludeDeleted = false,
    Lexicon? Lexicon = null,
    long? NotOf = null,
    IndexedMembers? Indexed = null,
    MemberLookup? Members = null
);

/// <summary>How many resources a selection has.</summary>
public enum CountKind
{
    None,

    /// <summary>Right up to some thousands, then what the planner thinks.</summary>
    Estimated,
    Exact,
}

/// <summary>A page of a list with the position that it shows, and that of the log's head at the same moment.</summary>
/// <param name="IsCut">Whether it ends before its limit, because its rows are large.</param>
public sealed record ResourcePage(
    IReadOnlyList<ResourceRow> Rows,
    long Position,
    int Generation,
    long Head,
    long? Count,
    bool IsCut
)
{
    /// <summary>The memory of a large page, to be given back when it was passed on.</summary>
    public MemoryLease? Memory { get; init; }
}

/// <summary>
/// What has become of resources up to a position: null for those that the selection does not have, any more or at all.
/// </summary>
public sealed record ResourceChanges(IReadOnlyDictionary<Guid, ResourceRow?> Rows, long Position);

/// <summary>Reads the resource views. A page, its count and its position come from one snapshot.</summary>
/// <param name="moment">What all reads are of; null = each is of its own moment.</param>
public sealed partial class ResourceQueries(
    ReadsDb reads,
    SearchesDb searches,
    BulkDb bulk,
    ResourceMoment? moment = null
)
{
    /// <summary>Estimates up to this are exact.</summary>
    const int MaxExactEstimate = 10_000;

    /// <summary>Begins a moment, of which several reads can be.</summary>
    public ResourceMoment Begin() => new(searches);

    /// <summary>The same queries, of one moment.</summary>
    public ResourceQueries Of(ResourceMoment moment) => new(reads, searches, bulk, moment);

    /// <summary>
    /// The rows after a place in an order, at most <paramref name="limit"/> and, beyond the first row, about
    /// <paramref name="bytes"/> of metadata. Where the view has not come as far as is wanted the page has no rows.
    /// </summary>
    /// <param name="after">The place of the last row of the page before; null = from the start.</param>
    /// <param name="wanted">The position that the view must have passed; null = the log's head.</param>
    /// <param name="areLarge">Whether the rows are known to be large: so PostgreSQL makes only those that there is room for.</param>
    /// <exception cref="QueryTimeoutException">The selection takes longer than a query may.</exception>
    /// <exception cref="NotIndexedException">The order is by a member that has no index, or not yet.</exception>
    public async Task<ResourcePage> PageAsync(
        ResourceSelection selection,
        ResourceSort sort,
        object[]? after,
        int limit,
        int bytes,
        CountKind count,
        long? wanted,
        CancellationToken ct,
        bool areLarge = false
    )
    {
        var budget = new ByteBudget(bytes);
        var counting =
            count is CountKind.Exact
            || count is CountKind.Estimated && (ResourceSql.IsCounted(selection) || !selection.Visible.IsAll);
        string Write(NpgsqlParameterCollection parameters, ResourceSelection which) =>
            ResourceSql.Page(parameters, which, sort, after, limit, counting, wanted);
        var db = PoolOf(selection, sort, count);
        var page =
            areLarge && !IsLookedUp(selection, sort)
                ? await RunAsync(
                    db,
                    (connection, token) =>
                        ReadLargeAsync(
                            connection,
                            which => Write(which, selection),
                            limit,
                            budget,
                            token,
                            // All rows of the type are gone through where the last of them is found.
                            takesLong: selection.NotOf is not null
                        ),
                    ct
                )
                : await QueryAsync(
                    db,
                    selection,
                    Write,
                    (reader, token) => ReadAsync(reader, budget, token),
                    ct,
                    budget,
                    sort
                );
        return count is CountKind.Estimated && page.Count is null
            ? page with
            {
                Count = await EstimateAsync(selection, ct),
            }
            : page;
    }

    /// <summary>The resources that events after a position were about, as they are now.</summary>
    /// <returns>
    /// Null when there are more than <paramref name="limit"/>, or than <paramref name="bytes"/> of metadata.
    /// </returns>
    public Task<ResourceChanges?> ChangesAsync(
        ResourceSelection selection,
        long after,
        int limit,
        int bytes,
        CancellationToken ct
    )
    {
        var budget = new ByteBudget(bytes);
        return QueryAsync(
            PoolOf(selection),
            selection,
            (parameters, which) => ResourceSql.Changes(parameters, which, after, limit + 1),
            async (reader, token) =>
            {
                var position = after;
                var rows = new Dictionary<Guid, ResourceRow?>();
                while (await reader.ReadAsync(token))
                {
                    position = Math.Max(after, reader.GetInt64(0));
                    if (reader.IsDBNull(1) || budget.IsExceeded())
                        break;
                    rows[reader.GetGuid(1)] = reader.IsDBNull(2) ? null : ReadRow(reader, 2, budget);
                }
                return rows.Count > limit || budget.WasExceeded ? null : new ResourceChanges(rows, position);
            },
            ct,
            budget
        );
    }

    static async Task<ResourcePage> ReadAsync(NpgsqlDataReader reader, ByteBudget budget, CancellationToken ct)
    {
        var rows = new List<ResourceRow>();
        var position = 0L;
        var generation = 0;
        var head = 0L;
        var count = (long?)null;
        while (await reader.ReadAsync(ct))
        {
            position = reader.GetInt64(0);
            generation = reader.GetInt32(1);
            head = reader.GetInt64(2);
            count = reader.IsDBNull(3) ? null : reader.GetInt64(3);
            // A page without rows still has a position.
            if (reader.IsDBNull(4) || budget.IsExceeded())
                break;
            rows.Add(ReadRow(reader, 4, budget));
        }
        return new(rows, position, generation, head, count, budget.WasExceeded);
    }

    static ResourceRow ReadRow(NpgsqlDataReader reader, int at, ByteBudget budget)
    {
        var metadata = reader.GetFieldValue<byte[]>(at + 5);
        budget.Spend(metadata.Length);
        return new(
            reader.GetGuid(at),
            reader.GetInt64(at + 1),
            new(
                reader.GetString(at + 2),
                reader.GetString(at + 3),
                reader.GetString(at + 4),
                JsonText.Stored(metadata),
                reader.GetString(at + 6),
                reader.GetFieldValue<DateTimeOffset>(at + 7),
                reader.GetString(at + 8),
                reader.GetFieldValue<DateTimeOffset>(at + 9),
                reader.GetString(at + 10),
                reader.IsDBNull(at + 11) ? null : reader.GetFieldValue<DateTimeOffset>(at + 11),
                reader.IsDBNull(at + 12) ? null : reader.GetInt64(at + 12)
            )
        )
        {
            Sorted = reader.FieldCount > at + 13 ? reader.GetString(at + 13) : null,
        };
    }

    /// <summary>
    /// Only for selections of all resources: the planner's estimates tell of rows that a caller may not see.
    /// </summary>
    async Task<long> EstimateAsync(ResourceSelection selection, CancellationToken ct)
    {
        var counted = await QueryAsync(
            searches,
            selection,
            (parameters, which) => ResourceSql.CountUpTo(parameters, which, MaxExactEstimate + 1),
            async (reader, token) =>
            {
                await reader.ReadAsync(token);
                return reader.GetInt64(0);
            },
            ct
        );
        if (counted <= MaxExactEstimate)
            return counted;
        return Math.Max(
            counted,
            await QueryAsync(
                searches,
                selection,
                ResourceSql.Explain,
                async (reader, token) =>
                {
                    await reader.ReadAsync(token);
                    using var plan = System.Text.Json.JsonDocument.Parse(reader.GetString(0));
                    return (long)plan.RootElement[0].GetProperty("Plan").GetProperty("Plan Rows").GetDouble();
                },
                ct
            )
        );
    }

    /// <summary>
    /// Plain selections are the same few statements again and again, so they stay prepared. What a filter or a search
    /// asks for, and what deleted resources do, decides which index serves it, so those are planned anew each time, on
    /// connections of their own. So are counts that nothing has counted yet, and parts of a type in the order of a member.
    /// A range of the numbers that a list is sorted by is a stretch of its index, and no search.
    /// </summary>
    public static bool IsSearch(
        ResourceSelection selection,
        ResourceSort? sort = null,
        CountKind count = CountKind.None
    ) =>
        selection.IncludeDeleted
        || selection.Filter is not null && !MemberRange.IsStretch(selection, sort)
        || selection.Indexed is not null && !ResourceSql.IsOfWholeType(selection)
        || count is not CountKind.None && !ResourceSql.IsCounted(selection);

    /// <summary>Resources of an old form may be few among millions.</summary>
    Db PoolOf(ResourceSelection selection, ResourceSort? sort = null, CountKind count = CountKind.None) =>
        selection.NotOf is not null ? bulk
        : IsSearch(selection, sort, count) ? searches
        : reads;

    Task<T> QueryAsync<T>(
        Db db,
        ResourceSelection selection,
        Func<NpgsqlParameterCollection, ResourceSelection, string> write,
        Func<NpgsqlDataReader, CancellationToken, Task<T>> read,
        CancellationToken ct,
        ByteBudget? budget = null,
        ResourceSort? sort = null
    ) =>
        RunAsync(
            db,
            async (connection, token) =>
            {
                if (IsLookedUp(selection, sort))
                    return await SearchAsync(connection, selection, sort, write, read, budget, token);
                await using var command = connection.CreateCommand();
                command.CommandText = write(command.Parameters, selection);
                // Statements of the pool for plain reads; the connection of a moment prepares none by itself.
                if (moment is not null && db == reads)
                    await command.PrepareAsync(token);
                await using var reader = await command.ExecuteReaderAsync(token);
                var result = await read(reader, token);
                if (budget is { WasExceeded: true })
                    await BreakOffInMomentAsync(reader, command.Cancel);
                return result;
            },
            ct
        );

    Task<T> RunAsync<T>(Db db, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken ct)
    {
        return moment is null ? db.RunAsync(BoundAsync, ct) : moment.RunAsync(BoundAsync, ct);

        async Task<T> BoundAsync(NpgsqlConnection connection, CancellationToken token)
        {
            try
            {
                return await work(connection, token);
            }
            catch (PostgresException e)
                when (e.SqlState is PostgresErrorCodes.QueryCanceled && !token.IsCancellationRequested)
            {
                throw new QueryTimeoutException();
            }
        }
    }

    static bool IsLookedUp(ResourceSelection selection, ResourceSort? sort) =>
        Lexicon.BeginningsIn(selection.Filter) is not [] || MemberLookup.IsNeeded(selection, sort);

    /// <summary>
    /// Asks for words and members first and then for rows, of one snapshot: a row whose word came in between would be
    /// missed.
    /// </summary>
    async Task<T> SearchAsync<T>(
        NpgsqlConnection connection,
        ResourceSelection selection,
        ResourceSort? sort,
        Func<NpgsqlParameterCollection, ResourceSelection, string> write,
        Func<NpgsqlDataReader, CancellationToken, Task<T>> read,
        ByteBudget? budget,
        CancellationToken ct
    )
    {
        await using var own = moment is null
            ? await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct)
            : null;
        var transaction = own ?? moment!.Transaction!;
        if (Lexicon.BeginningsIn(selection.Filter) is not [] and var beginnings)
            selection = selection with { Lexicon = await Lexicon.ReadAsync(transaction, beginnings, ct) };
        if (MemberLookup.IsNeeded(selection, sort))
            selection = selection with { Members = await MemberLookup.ReadAsync(transaction, selection, sort, ct) };
        await using var batch = new NpgsqlBatch(connection, transaction);
        var rows = new NpgsqlBatchCommand();
        rows.CommandText = write(rows.Parameters, selection);
        batch.BatchCommands.Add(rows);
        if (own is not null)
            batch.BatchCommands.Add(new("commit"));
        await using var reader = await batch.ExecuteReaderAsync(ct);
        var result = await read(reader, ct);
        if (budget is { WasExceeded: true })
            await BreakOffInMomentAsync(reader, batch.Cancel);
        return result;
    }

    /// <summary>Ends a query whose other rows nobody wants; a moment goes on.</summary>
    async Task BreakOffInMomentAsync(NpgsqlDataReader reader, Action cancel)
    {
        await BreakOffAsync(reader, cancel);
        if (moment is not null)
            await moment.UndoAsync();
    }
}

/// <summary>A query took longer than <see cref="MaxTime"/>.</summary>
public sealed class QueryTimeoutException() : Exception("The query takes too long.")
{
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);
}
