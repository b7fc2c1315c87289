using Resources.Silo;

namespace Resources.Api;

/// <summary>Live resources in numbers: of those that the caller may see.</summary>
/// <param name="ByDay">By the day (UTC) on which they were created, oldest first.</param>
public sealed record StatisticsDocument(
    long Total,
    IReadOnlyList<TypeCount> ByType,
    IReadOnlyList<StatusCount> ByStatus,
    IReadOnlyList<DayCount> ByDay
);

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
        var wanted = Consistency.Read(query, context.Request);
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);

        var ct = context.RequestAborted;
        var reach = ResourceDoor.ReachOf(context.Caller(), includeDeleted: false);
        var name = ListRequest.NameOf(query, "statistics of " + reach, "type", "status", "from", "to");
        if (context.Request.Headers.IfNoneMatch.Count > 0)
        {
            var reached = await door.WaitAsync(wanted, ct);
            if (reached.Rejection is { } behind)
                return Consistency.Refused(behind);
            if (ResourceLists.Held(context, name, reached.Value) is { } held)
                return held;
            wanted = reached.Position;
        }
        var reply = await door.CountAsync(context.Caller(), type, status, from, to, wanted, ct);
        if (reply.Rejection is { } rejection)
            return Consistency.Refused(rejection);
        var found = reply.Value!;
        return new Answer<StatisticsDocument>(
            new(
                found.Total,
                [.. found.ByType.Select(each => new TypeCount(each.Value, each.Count))],
                [.. found.ByStatus.Select(each => new StatusCount(each.Value, each.Count))],
                [.. found.ByDay.Select(each => new DayCount(each.Value, each.Count))]
            )
        )
        {
            EntityTag = ResourceLists.Tag(name, found.Generation, found.Position),
            Position = found.Position,
            IsCacheable = true,
        };
    }
}
