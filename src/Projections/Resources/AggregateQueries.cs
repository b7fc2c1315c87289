using System.Data;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>What live resources are put together by, and what of each group is told beside how many there are.</summary>
/// <param name="Keys">At most two: type, status, owner, day, or the path of an indexed member.</param>
/// <param name="Values">Functions of <see cref="AggregateQueries.Functions"/>, and paths of indexed members.</param>
public sealed record Grouping(IReadOnlyList<string> Keys, IReadOnlyList<(string Function, string Path)> Values)
{
    /// <summary>The paths of members, each once.</summary>
    public IReadOnlyList<string> Paths { get; } =
    [.. Keys.Where(key => AggregateQueries.IsMember(key)).Concat(Values.Select(value => value.Path)).Distinct()];
}

/// <summary>A group of live resources.</summary>
/// <param name="Keys">JSON of each key.</param>
/// <param name="Values">JSON of each value.</param>
public sealed record ResourceGroup(JsonElement[] Keys, long Count, JsonElement[] Values);

/// <summary>
/// Groups live resources, and adds up members of them. Counts come from the statistics; members from their indexes.
/// </summary>
public sealed class AggregateQueries(SearchesDb db)
{
    /// <summary>More groups than this are not listed.</summary>
    public const int MaxGroups = 1_000;

    public const int MaxKeys = 2;

    /// <summary>What can be told of a member.</summary>
    public static readonly string[] Functions = ["sum", "avg", "min", "max"];

    /// <summary>The keys that every resource has.</summary>
    public static readonly string[] Fields = ["type", "status", "owner", "day"];

    /// <summary>Whether a key is the path of a member.</summary>
    public static bool IsMember(string key) => key.StartsWith("metadata.", StringComparison.Ordinal);

    /// <summary>The statistics with groups: all of it is of one snapshot, so that they agree.</summary>
    /// <exception cref="NotIndexedException">A member has no index, or not yet.</exception>
    /// <exception cref="QueryTimeoutException">It takes longer than a query may.</exception>
    public Task<ResourceStatistics> ReadAsync(
        Reach visible,
        IndexedMembers? indexed,
        string? type,
        string? status,
        DateOnly? from,
        DateOnly? to,
        Grouping grouping,
        CancellationToken ct
    ) =>
        db.RunAsync(
            async (connection, token) =>
            {
                await using var transaction = await connection.BeginTransactionAsync(
                    IsolationLevel.RepeatableRead,
                    token
                );
                var numbers = await MemberLookup.NumbersAsync(transaction, indexed, grouping.Paths, token);
                await using var command = new NpgsqlCommand { Connection = connection, Transaction = transaction };
                var narrowed = new Narrowed(command.Parameters, visible, type, status, from, to);
                command.CommandText = $"""
                    {(
                    numbers is [] ? OfCounts(narrowed, grouping) : OfMembers(narrowed, grouping, numbers)
                )} order by count desc, keys limit {MaxGroups}
                    """;
                try
                {
                    var groups = await ReadAsync(command, token);
                    var counts = await StatisticsQueries.ReadAsync(connection, visible, type, status, from, to, token);
                    return counts with { Groups = groups };
                }
                catch (PostgresException e)
                    when (e.SqlState is PostgresErrorCodes.QueryCanceled && !token.IsCancellationRequested)
                {
                    throw new QueryTimeoutException();
                }
            },
            ct
        );

    static async Task<IReadOnlyList<ResourceGroup>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var groups = new List<ResourceGroup>();
        await using var reader = await command.ExecuteReaderAsync(ct);
        while (await reader.ReadAsync(ct))
            groups.Add(new(Elements(reader.GetString(0)), reader.GetInt64(1), Elements(reader.GetString(2))));
        return groups;
    }

    static JsonElement[] Elements(string json) => [.. JsonElement.Parse(json).EnumerateArray()];

    /// <summary>The statistics are counted for everyone, and for each owner.</summary>
    static string OfCounts(Narrowed narrowed, Grouping grouping)
    {
        var parameters = narrowed.Parameters;
        var rows = grouping.Keys.Contains("owner")
            ? $"""
                (select scope as owner, type, status, day, live from resource_statistics where scope <> '{ResourceSql.Everyone}') s
                where {ResourceSql.Seen(parameters, new(narrowed.Visible, narrowed.Type))}
                """
            : $"resource_statistics where {ResourceSql.Counts(parameters, null, narrowed.Visible)}";
        var days = narrowed.Of("day", NpgsqlDbType.Date, narrowed.From, narrowed.To);
        return $"""
            select jsonb_build_array({string.Join(
                ", ",
                grouping.Keys
            )})::text as keys, sum(live)::bigint as count, '[]' as functions
            from {rows} and live > 0{narrowed.TypeAndStatus}{days} group by 1
            """;
    }

    /// <summary>Every live resource of a type has a row for each of its members.</summary>
    static string OfMembers(Narrowed narrowed, Grouping grouping, int[] numbers)
    {
        var paths = grouping.Paths;
        string At(string path) => "i" + paths.Index().First(one => one.Item == path).Index;
        string Key(string key) =>
            key is "day" ? "(created_at at time zone 'UTC')::date"
            : IsMember(key) ? $"coalesce(to_jsonb({At(key)}.number), to_jsonb({At(key)}.text))"
            : "v." + key;
        string Value((string Function, string Path) value) =>
            value.Function is "sum" or "avg"
                ? $"{value.Function}({At(value.Path)}.number)"
                // Of what has numbers and texts, the numbers count.
                : $"coalesce(to_jsonb({value.Function}({At(value.Path)}.number)), to_jsonb({value.Function}({At(value.Path)}.text)))";
        var joins = string.Concat(
            numbers
                .Index()
                .Select(one =>
                    $" join resource_index i{one.Index} on i{one.Index}.member = {one.Item} and i{one.Index}.resource = v.id"
                )
        );
        var until = narrowed.To is { } to && to < DateOnly.MaxValue ? to.AddDays(1) : (DateOnly?)null;
        var times =
            narrowed.Of("v.created_at", NpgsqlDbType.TimestampTz, Start(narrowed.From), null)
            + (
                until is null
                    ? ""
                    : $" and v.created_at < {narrowed.Parameters.Place(Start(until), NpgsqlDbType.TimestampTz)}"
            );
        return $"""
            select jsonb_build_array({string.Join(", ", grouping.Keys.Select(Key))})::text as keys, count(*) as count,
                jsonb_build_array({string.Join(", ", grouping.Values.Select(Value))})::text as functions
            from resource_views v{joins}
            where v.deleted_at is null and {ResourceSql.Seen(narrowed.Parameters, new(narrowed.Visible, narrowed.Type))}{narrowed.TypeAndStatus}{times} group by {(
                grouping.Keys is [] ? "()" : string.Join(", ", grouping.Keys.Select(Key))
            )}
            """;
    }

    static DateTimeOffset? Start(DateOnly? day) =>
        day is { } known ? new DateTimeOffset(known, TimeOnly.MinValue, TimeSpan.Zero) : null;

    /// <summary>Which resources are looked at.</summary>
    sealed record Narrowed(
        NpgsqlParameterCollection Parameters,
        Reach Visible,
        string? Type,
        string? Status,
        DateOnly? From,
        DateOnly? To
    )
    {
        public string TypeAndStatus =>
            (Type is null ? "" : $" and type = {Parameters.Place(Type, NpgsqlDbType.Text)}")
            + (Status is null ? "" : $" and status = {Parameters.Place(Status, NpgsqlDbType.Text)}");

        public string Of(string column, NpgsqlDbType type, object? from, object? to) =>
            (from is null ? "" : $" and {column} >= {Parameters.Place(from, type)}")
            + (to is null ? "" : $" and {column} <= {Parameters.Place(to, type)}");
    }
}
