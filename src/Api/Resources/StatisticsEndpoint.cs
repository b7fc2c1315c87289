using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Live resources in numbers: of those that the caller may see.</summary>
/// <param name="ByDay">By the day (UTC) on which they were created, oldest first.</param>
public sealed record StatisticsDocument(
    long Total,
    IReadOnlyList<TypeCount> ByType,
    IReadOnlyList<StatusCount> ByStatus,
    IReadOnlyList<DayCount> ByDay,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<GroupDocument>? Groups = null
);

/// <summary>Live resources that have the same keys. Keys and values are JSON, by the names that were asked for.</summary>
/// <param name="Key">The keys that the resources have in common.</param>
/// <param name="Sum">Sums of members, by their paths; likewise <c>avg</c>, <c>min</c> and <c>max</c>.</param>
public sealed record GroupDocument(
    IReadOnlyDictionary<string, JsonElement> Key,
    long Count,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyDictionary<string, JsonElement>? Sum,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyDictionary<string, JsonElement>? Avg,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyDictionary<string, JsonElement>? Min,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        IReadOnlyDictionary<string, JsonElement>? Max
)
{
    public static GroupDocument Of(ResourceGroup group, Grouping grouping)
    {
        IReadOnlyDictionary<string, JsonElement>? Values(string function) =>
            grouping.Values.Index().Where(one => one.Item.Function == function).ToArray() is not [] and var asked
                ? asked.ToDictionary(one => one.Item.Path, one => group.Values[one.Index])
                : null;
        return new(
            grouping.Keys.Index().ToDictionary(one => one.Item, one => group.Keys[one.Index]),
            group.Count,
            Values("sum"),
            Values("avg"),
            Values("min"),
            Values("max")
        );
    }
}

/// <summary>How many live resources have a type.</summary>
public sealed record TypeCount(string Type, long Count);

/// <summary>How many live resources have a status.</summary>
public sealed record StatusCount(string Status, long Count);

/// <summary>How many live resources were created on a day.</summary>
public sealed record DayCount(DateOnly Day, long Count);

/// <summary>Statistics of resources.</summary>
static class StatisticsEndpoint
{
    public static async Task<Answer> CountAsync(HttpContext context, ResourceDoor door)
    {
        var query = new QueryReader(context.Request);
        var type = query.Slug("type");
        var status = query.Slug("status");
        var from = query.Day("from");
        var to = query.Day("to");
        var grouping = GroupingOf(query);
        var wanted = Consistency.Read(query, context.Request);
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);

        var ct = context.RequestAborted;
        var reach = ResourceDoor.ReachOf(context.Caller(), includeDeleted: false);
        var name = ListRequest.NameOf(
            query,
            "statistics of " + reach,
            ["type", "status", "from", "to", "groupBy", .. AggregateQueries.Functions]
        );
        if (context.Request.Headers.IfNoneMatch.Count > 0)
        {
            var reached = await door.WaitAsync(wanted, ct);
            if (reached.Rejection is { } behind)
                return Consistency.Refused(behind);
            if (ResourceLists.Held(context, name, reached.Value) is { } held)
                return held;
            wanted = reached.Position;
        }
        var reply = await door.CountAsync(context.Caller(), type, status, from, to, grouping, wanted, ct);
        if (reply.Rejection is { } rejection)
            return Consistency.Refused(rejection);
        var found = reply.Value!;
        return new Answer<StatisticsDocument>(
            new(
                found.Total,
                [.. found.ByType.Select(each => new TypeCount(each.Value, each.Count))],
                [.. found.ByStatus.Select(each => new StatusCount(each.Value, each.Count))],
                [.. found.ByDay.Select(each => new DayCount(each.Value, each.Count))],
                found.Groups?.Select(group => GroupDocument.Of(group, grouping!)).ToArray()
            )
        )
        {
            EntityTag = ResourceLists.Tag(name, found.Generation, found.Position),
            Position = found.Position,
            IsCacheable = true,
        };
    }

    /// <summary>What is asked for beside the counts; null = nothing.</summary>
    static Grouping? GroupingOf(QueryReader query)
    {
        string[] Names(string parameter) => query.Text(parameter)?.Split(',') ?? [];
        var keys = Names("groupBy");
        if (
            keys.Length > AggregateQueries.MaxKeys
            || keys.Distinct().Count() != keys.Length
            || !keys.All(key => AggregateQueries.Fields.Contains(key) || AggregateQueries.IsMember(key))
        )
            query.Fail<string>(
                "groupBy",
                $"takes at most {AggregateQueries.MaxKeys} of {string.Join(", ", AggregateQueries.Fields)} "
                    + "and indexed members such as metadata.price"
            );
        var values = new List<(string, string)>();
        foreach (var function in AggregateQueries.Functions)
        {
            var paths = Names(function);
            if (paths.Length > IndexedMember.Max || !paths.All(AggregateQueries.IsMember))
                query.Fail<string>(
                    function,
                    $"takes at most {IndexedMember.Max} indexed members such as metadata.price"
                );
            values.AddRange(paths.Distinct().Select(path => (function, path)));
        }
        return keys is [] && values is [] ? null : new(keys, values);
    }
}
