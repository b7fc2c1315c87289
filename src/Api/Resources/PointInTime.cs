using System.Globalization;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Reads <c>version</c> and <c>at</c>: the point in the past that a read asks for.</summary>
static class PointInTime
{
    /// <summary>Two clocks that are kept may differ so much: a moment that lies ahead by no more is waited for.</summary>
    static readonly TimeSpan ClocksDiffer = TimeSpan.FromSeconds(5);

    public static async Task<Moment?> ReadAsync(HttpContext context, QueryReader query, ResourceDoor door)
    {
        var ct = context.RequestAborted;
        var version = query.Number("version", 1);
        var at = query.Text("at");
        if (at is null)
            return version is null ? null : new(Version: version);
        if (query.Text("version") is not null)
            query.Fail<Moment>("at", "and version exclude each other");
        else if (at is not [] && at.All(char.IsAsciiDigit))
        {
            if (
                !long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var position)
                || position > await door.HeadAsync(ct)
            )
                return query.Fail<Moment>("at", "is a position that the log has not reached");
            return new(Position: position);
        }
        else if (!Rfc3339.TryParse(at, out var time))
            query.Fail<Moment>("at", "takes an RFC 3339 time such as 2026-01-31T12:00:00Z, or a position");
        else if (!await HasPassedAsync(context, door, time))
            query.Fail<Moment>("at", "lies in the future");
        else
            return new(Time: time.ToUniversalTime());
        return null;
    }

    static async Task<bool> HasPassedAsync(HttpContext context, ResourceDoor door, DateTimeOffset moment)
    {
        while (await door.AheadAsync(moment, context.RequestAborted) is var ahead && ahead > TimeSpan.Zero)
        {
            if (ahead > ClocksDiffer)
                return false;
            Overload.Waits(context);
            await Task.Delay(ahead + TimeSpan.FromMilliseconds(1), context.RequestAborted);
        }
        return true;
    }
}
