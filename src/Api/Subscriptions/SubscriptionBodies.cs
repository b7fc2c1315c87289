using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>What creating a subscription takes.</summary>
/// <param name="After">Events after this position are delivered; <c>now</c>, the default, is the log's head.</param>
public sealed record SubscriptionRequest(
    string Name,
    DeliveryDocument Delivery,
    FilterDocument? Filter = null,
    string? After = null
);

/// <summary>
/// What a replay takes: a position, after which every event is delivered again, or a parked resource, which is retried
/// immediately.
/// </summary>
public sealed record ReplayRequest(string? Position = null, Guid? Resource = null);

/// <summary>What a pull takes.</summary>
/// <param name="Wait">Seconds to wait when there are no events.</param>
public sealed record PullBody(string Consumer, int Limit = 100, int Wait = 0, int LeaseSeconds = 30);

/// <summary>What acknowledging takes.</summary>
/// <param name="Positions">Positions of leased events; without it, all of them.</param>
public sealed record AckBody(Guid Lease, string[]? Positions = null);

/// <summary>What returning events takes.</summary>
/// <param name="DelaySeconds">Seconds before they can be leased again.</param>
public sealed record NackBody(Guid Lease, string[]? Positions = null, int DelaySeconds = 0);

/// <summary>What parking resources takes.</summary>
public sealed record ParkBody(Guid Lease, string Reason, string[]? Positions = null);

/// <summary>Reads request bodies of subscriptions; collects faults.</summary>
static class SubscriptionBodies
{
    const int MaxName = 100;
    const int MaxConsumer = 100;
    const int MaxOwner = 255;
    const int MaxReason = 1_000;
    const int MaxPositions = 1_000;
    const int MaxLease = 3_600;

    /// <summary>A subscription to create; incomplete when there are faults.</summary>
    /// <param name="head">The log's newest position.</param>
    public static async Task<NewSubscription> CreationAsync(
        JsonElement body,
        Guid owner,
        long head,
        Deliveries deliveries,
        List<Fault> faults,
        CancellationToken ct
    )
    {
        var reader = new ObjectReader(body, faults);
        var name = reader.Text("name", 1, MaxName);
        var filter = reader.Nested("filter", optional: true) is { } nested ? Filter(nested, faults) : new();
        var settings = reader.Nested("delivery") is { } delivery
            ? await deliveries.ReadAsync(delivery, faults, ct)
            : null;
        var after = reader.Text("after", 1, 20, optional: true) is { } text and not "now"
            ? Position(text, head, "/after", faults)
            : head;
        reader.RefuseOthers();
        return new(Guid.CreateVersion7(), owner, name ?? "", filter, settings ?? JsonText.Empty, after);
    }

    /// <summary>A position to replay from, or a parked resource: exactly one, unless there are faults.</summary>
    public static (long? Position, Guid? Resource) Replay(JsonElement body, long reached, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var position = reader.Text("position", 1, 20, optional: true);
        var resource = reader.Text("resource", 36, 36, optional: true);
        reader.RefuseOthers();
        if (faults is [] && position is null == resource is null)
            faults.Report("", "ONE_OF", "Send either a position or a resource.");
        return (
            position is null ? null : Position(position, reached, "/position", faults),
            resource is null ? null : Id(resource, "/resource", faults)
        );
    }

    public static PullRequest Pull(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new PullRequest(
            reader.Text("consumer", 1, MaxConsumer) ?? "",
            reader.Number("limit", 1, MaxPositions, optional: true) ?? 100,
            TimeSpan.FromSeconds(reader.Number("leaseSeconds", 1, MaxLease, optional: true) ?? 30),
            TimeSpan.FromSeconds(reader.Number("wait", 0, 60, optional: true) ?? 0)
        );
        reader.RefuseOthers();
        return asked;
    }

    public static Settlement Settlement(JsonElement body, SettlementKind kind, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var lease = reader.Text("lease", 36, 36) is { } text ? Id(text, "/lease", faults) : Guid.Empty;
        var positions = reader
            .Strings("positions", 1, 20, MaxPositions, optional: true)
            ?.Select((each, at) => Position(each, long.MaxValue, $"/positions/{at}", faults))
            .ToArray();
        var delay = kind is SettlementKind.Nack ? reader.Number("delaySeconds", 0, MaxLease, optional: true) ?? 0 : 0;
        var reason = kind is SettlementKind.Park ? reader.Text("reason", 1, MaxReason) : null;
        reader.RefuseOthers();
        return new(lease, kind, positions, TimeSpan.FromSeconds(delay), reason);
    }

    static SubscriptionFilter Filter(ObjectReader reader, List<Fault> faults)
    {
        var type = reader.Slug("type", optional: true);
        var resource = reader.Text("resource", 36, 36, optional: true);
        var owner = reader.Text("owner", 1, MaxOwner, optional: true);
        var events = reader.Strings("events", optional: true)?.Distinct().ToArray();
        reader.RefuseOthers();
        for (var i = 0; i < events?.Length; i++)
            if (!EventKinds.OfResources.Contains(events[i]))
                faults.Report(
                    $"/filter/events/{i}",
                    "UNKNOWN_EVENT",
                    $"Unknown event. Known events: {string.Join(", ", EventKinds.OfResources)}."
                );
        return new(type, resource is null ? null : Id(resource, "/filter/resource", faults), owner, events);
    }

    static long Position(string text, long head, string pointer, List<Fault> faults)
    {
        if (Positions.Parse(text) is { } position && position <= head)
            return position;
        faults.Report(pointer, "INVALID_POSITION", "The value must be a position that has been reached.");
        return 0;
    }

    static Guid Id(string text, string pointer, List<Fault> faults)
    {
        if (Ids.TryParse(text, out var id))
            return id;
        faults.Report(pointer, "INVALID_ID", "The value must be a lower-case UUID.");
        return default;
    }
}
