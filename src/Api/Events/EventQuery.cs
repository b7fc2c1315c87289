using System.Globalization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>What a reader of the log asks for: from where, which events, and how.</summary>
/// <param name="After">The position of the last event that the reader has.</param>
/// <param name="Wait">How long to wait for events when there are none, in a page.</param>
public sealed record EventQuery(long After, EventFilter Filter, int Limit, TimeSpan Wait)
{
    public const int MaxEvents = 1_000;
    const int MaxOwner = 255;

    /// <summary>The header by which clients of streams say what they have.</summary>
    public const string LastEventId = "Last-Event-ID";

    /// <summary>
    /// Reads parameters and <c>Last-Event-ID</c>, which wins over <c>after</c>; reports what is wrong with them.
    /// </summary>
    /// <param name="resource">The resource that the address names; null = all.</param>
    /// <param name="head">The log's newest position.</param>
    public static EventQuery Read(HttpContext context, QueryReader query, Guid? resource, long head)
    {
        var wait = query.Number("wait", 0) ?? 0;
        if (wait > 60)
            query.Fail<string>("wait", "takes at most 60 seconds");
        var owner = query.Text("owner");
        if (owner is { Length: 0 or > MaxOwner })
            query.Fail<string>("owner", "takes the id of an account");
        return new(
            Start(context, query, head),
            new(Reach.Nothing, query.Slug("type"), resource ?? query.Id("resource"), owner, EventNames(query)),
            query.Limit(100, MaxEvents),
            TimeSpan.FromSeconds(wait)
        );
    }

    /// <summary>Whether the client asks for a stream and not for a page.</summary>
    public static bool WantsStream(HttpContext context) =>
        Accepted.Read(context.Request).Prefers("text", "event-stream");

    static long Start(HttpContext context, QueryReader query, long head)
    {
        var (name, text) = context.Request.Headers[LastEventId] is [{ Length: > 0 } last]
            ? ("header:" + LastEventId, last)
            : ("?after", query.Text("after"));
        if (text is null)
            return 0;
        if (text is "now" && name is "?after")
            return head;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position) && position <= head)
            return position;
        query.Faults.Add(new(name, "INVALID_POSITION", "This is no position that the log has reached."));
        return 0;
    }

    static string[]? EventNames(QueryReader query)
    {
        if (query.Text("event") is not { } text)
            return null;
        var names = text.Split(',');
        return names.All(EventKinds.OfResources.Contains)
            ? names
            : query.Fail<string[]>(
                "event",
                $"takes names of events, separated by commas: {string.Join(", ", EventKinds.OfResources)}"
            );
    }
}
