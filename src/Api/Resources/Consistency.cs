using System.Globalization;
using Resources.Grains;

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

    /// <summary>The answer to a list that could not be as new as was wanted, or was refused otherwise.</summary>
    public static Answer Refused(Rejection rejection) =>
        rejection.Kind is Refusal.PositionAhead
            ? Answer.Invalid([new("header:" + Header, "INVALID_POSITION", rejection.Detail)])
            : rejection;
}
