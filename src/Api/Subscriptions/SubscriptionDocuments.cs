using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A subscription.</summary>
/// <param name="State"><c>active</c>, <c>paused</c>, or <c>disabled</c> after permanent failures of its target.</param>
/// <param name="Position">Every event up to here is delivered or belongs to a parked resource.</param>
/// <param name="Lag">Positions between <c>position</c> and the log's head.</param>
/// <param name="LagSeconds">Age of the oldest event that it has not processed.</param>
/// <param name="Parked">Resources whose events are held back.</param>
/// <param name="Failed">Parked resources that only a replay releases.</param>
/// <param name="PreviousSecretUntil">When the secret before the last rotation stops signing.</param>
/// <param name="Secret">A webhook's secret; only in the answer that created it.</param>
public sealed record SubscriptionDocument(
    Guid Id,
    string Name,
    Guid Owner,
    FilterDocument Filter,
    DeliveryDocument Delivery,
    string State,
    string Position,
    long Lag,
    double LagSeconds,
    long Parked,
    long Failed,
    SubscriptionErrorDocument? LastError,
    DateTimeOffset? LastSuccessAt,
    DateTimeOffset? PreviousSecretUntil,
    DateTimeOffset CreatedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret = null
)
{
    public static SubscriptionDocument Of(Subscription of, DateTimeOffset now, string? secret = null) =>
        new(
            of.Id,
            of.Name,
            of.Owner,
            FilterDocument.Of(of.Filter),
            DeliveryDocument.Of(of.Delivery),
            of.State,
            Positions.Text(of.Position),
            Math.Max(0, of.Head - of.Position),
            Math.Round(of.LagSeconds, 3),
            of.Parked,
            of.Failed,
            of.LastError is null ? null : new(of.LastError, of.LastErrorAt!.Value),
            of.LastSuccessAt,
            of.PreviousSecretUntil > now ? of.PreviousSecretUntil : null,
            of.CreatedAt,
            secret
        );
}

/// <summary>Which events a subscription delivers. Every part narrows it.</summary>
public sealed record FilterDocument(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Type = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Guid? Resource = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Owner = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string[]? Events = null
)
{
    public static FilterDocument Of(SubscriptionFilter filter) =>
        new(filter.Type, filter.Resource, filter.Owner, filter.Events);
}

/// <summary>How a subscription delivers.</summary>
/// <param name="Kind"><c>webhook</c> or <c>pull</c>.</param>
/// <param name="Url">A webhook's target.</param>
public sealed record DeliveryDocument(
    string Kind,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Url = null
)
{
    /// <summary>Members of other kinds.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; set; }

    public static DeliveryDocument Of(JsonText delivery) =>
        JsonSerializer.Deserialize(delivery.Utf8.Span, SubscriptionJson.Default.DeliveryDocument)!;
}

/// <summary>The last failure.</summary>
public sealed record SubscriptionErrorDocument(string Detail, DateTimeOffset At);

/// <summary>A new secret, which is never shown again.</summary>
/// <param name="PreviousUntil">When the old secret stops signing.</param>
public sealed record SecretDocument(string Secret, DateTimeOffset? PreviousUntil);

/// <summary>A resource whose events are held back.</summary>
/// <param name="Position">The position of the first event that is not delivered.</param>
/// <param name="RetryAt">When delivery is tried again; null = only by a replay.</param>
public sealed record ParkedDocument(
    Guid Resource,
    string Position,
    int Attempts,
    DateTimeOffset? RetryAt,
    string Error,
    DateTimeOffset Since
)
{
    public static ParkedDocument Of(ParkedRow row) =>
        new(row.Resource, Positions.Text(row.Position), row.Attempts, row.RetryAt, row.Error, row.Since);
}

/// <summary>One attempt to deliver an event.</summary>
/// <param name="Outcome">
/// <c>delivered</c> or <c>failed</c>; for leased events <c>acked</c>, <c>nacked</c>, <c>parked</c> or <c>expired</c>.
/// </param>
/// <param name="Status">The HTTP status of the target's answer.</param>
/// <param name="Detail">Why it failed, or which consumer had the event.</param>
public sealed record AttemptDocument(
    DateTimeOffset At,
    Guid Event,
    Guid Resource,
    string Position,
    int Attempt,
    string Outcome,
    int? Status,
    string? Detail,
    int? Milliseconds
)
{
    public static AttemptDocument Of(AttemptRow row) =>
        new(
            row.At,
            row.Event,
            row.Resource,
            Positions.Text(row.Position),
            row.Attempt,
            row.Outcome,
            row.Status,
            row.Detail,
            row.Milliseconds
        );
}

/// <summary>The outcome of a test event.</summary>
/// <param name="Status">The HTTP status of the target's answer.</param>
/// <param name="Error">Why it was not delivered.</param>
public sealed record TestDocument(bool Delivered, int? Status, string? Error, int Milliseconds)
{
    public static TestDocument Of(DeliveryOutcome outcome) =>
        new(outcome.Error is null, outcome.Status, outcome.Error, outcome.Milliseconds);
}

/// <summary>Events leased to a consumer.</summary>
/// <param name="Lease">Needed to settle them; null when there are none.</param>
/// <param name="Until">When the lease expires.</param>
public sealed record PulledDocument(Guid? Lease, DateTimeOffset? Until, IReadOnlyList<PulledEventDocument> Events)
{
    public static PulledDocument Of(PulledBatch? batch) =>
        batch is null
            ? new(null, null, [])
            : new(
                batch.Lease,
                batch.Until,
                [.. batch.Events.Select(each => new PulledEventDocument(each.Attempt, each.Event))]
            );
}

/// <summary>A leased event.</summary>
/// <param name="Attempt">How many times it was leased.</param>
/// <param name="Event">The CloudEvent.</param>
public sealed record PulledEventDocument(int Attempt, JsonText Event);

/// <summary>The number of settled events of the lease.</summary>
public sealed record SettledDocument(int Settled);

/// <summary>Positions in their public form.</summary>
static class Positions
{
    public static string Text(long position) => position.ToString(CultureInfo.InvariantCulture);

    /// <summary>A position, or null.</summary>
    public static long? Parse(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : null;
}
