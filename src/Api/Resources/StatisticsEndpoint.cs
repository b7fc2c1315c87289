using Resources.Projections;

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
    public static async Task StatisticsAsync(HttpContext context, StatisticsQueries statistics, ReadIndex index)
    {
        var query = new QueryReader(context.Request);
        var visible = context.Visible(Permissions.ResourceRead);
        var type = query.Slug("type");
        var status = query.Slug("status");
        var from = query.Day("from");
        var to = query.Day("to");
        var wanted = Consistency.Read(query, context.Request);
        if (query.Faults is not [])
        {
            await Problems.InvalidAsync(context, query.Faults);
            return;
        }

        if (await Consistency.WaitAsync(context, index, wanted) is not { } reached)
            return;
        var asked = ResourceLists.Name(query, "statistics of " + visible, "type", "status", "from", "to");
        if (ResourceLists.AnswerHeld(context, asked, reached))
            return;
        var figures = await statistics.ReadAsync(visible, type, status, from, to, context.RequestAborted);
        context.Response.Headers.ETag = ResourceLists.Tag(asked, figures.Generation, figures.Position);
        await Answers.OkAsync(
            context,
            new StatisticsDocument(
                figures.Total,
                [.. figures.ByType.Select(each => new TypeCount(each.Value, each.Count))],
                [.. figures.ByStatus.Select(each => new StatusCount(each.Value, each.Count))],
                [.. figures.ByDay.Select(each => new DayCount(each.Value, each.Count))]
            ),
            WireJson.Default.EnvelopeStatisticsDocument,
            figures.Position
        );
    }
}
