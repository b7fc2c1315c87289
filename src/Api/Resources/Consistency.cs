using System.Globalization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>
/// How new the answer of a read model must be. By default it has every write that was acknowledged before the request;
/// with <c>Min-Position</c> at least the writes up to that position; with <c>consistency=eventual</c> what is there.
/// </summary>
static class Consistency
{
    public const string Header = "Min-Position";
    public const string Parameter = "consistency";

    /// <summary>Reads parameter and header.</summary>
    /// <returns>The position to wait for; null = the log's head.</returns>
    public static long? Read(QueryReader query, HttpRequest request)
    {
        var mode = query.Text(Parameter);
        if (mode is not (null or "eventual" or "linearizable"))
            query.Fail<string>(Parameter, "takes linearizable (the default) or eventual");
        if (request.Headers[Header] is not { Count: > 0 } header)
            return mode is "eventual" ? 0 : null;
        if (
            header is [{ } text]
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
        )
            return mode is "linearizable" ? null : position;
        query.Faults.Add(
            new("header:" + Header, "INVALID_POSITION", $"{Header} takes a position that an answer has given.")
        );
        return null;
    }

    /// <summary>Waits for the read model.</summary>
    /// <returns>Where it is; null when the refusal was answered already.</returns>
    public static async Task<Reached?> WaitAsync(HttpContext context, ReadIndex index, long? position)
    {
        var reached = await index.WaitAsync(position, context.RequestAborted);
        switch (reached.State)
        {
            case ReachedState.Passed:
                return reached;
            case ReachedState.Behind:
                await Problems.WriteAsync(
                    context,
                    ProblemType.ReadModelBehind,
                    "The read model has not caught up with the log in time."
                );
                return null;
            default:
                await Problems.InvalidAsync(
                    context,
                    [new Fault("header:" + Header, "INVALID_POSITION", "The log has not reached this position.")]
                );
                return null;
        }
    }
}
