using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A subscription.</summary>
/// <param name="State"><c>active</c>, <c>paused</c>, or <c>disabled</c> after its target has failed for good.</param>
/// <param name="Position">Up to here every event is delivered or belongs to a parked resource.</param>
/// <param name="Lag">Positions between that and the log's head.</param>
/// <param name="LagSeconds">Age of the oldest event of the log that it has not looked at.</param>
/// <param name="Parked">Resources whose events are held back.</param>
/// <param name="Failed">Those of them that only a replay frees.</param>
/// <param name="PreviousSecretUntil">Until then the secret before the last rotation signs too.</param>
/// <param name="Secret">A webhook's secret; in the answer that made it and never again.</param>
public sealed record SubscriptionDocument(
    Guid Id,
    string Name,
    Guid Owner,
    SubscriptionFilter Filter,
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
    public static SubscriptionDocument Of(Subscription of, string? secret = null) =>
        new(
            of.Id,
            of.Name,
            of.Owner,
            of.Filter,
            DeliveryDocument.Of(of.Delivery),
            of.State,
            Positions.Text(of.Position),
            Math.Max(0, of.Head - of.Position),
            Math.Round(of.LagSeconds, 3),
            of.Parked,
            of.Failed,
            of.LastError is null ? null : new(of.LastError, of.LastErrorAt!.Value),
            of.LastSuccessAt,
            of.PreviousSecretUntil > TimeProvider.System.GetUtcNow() ? of.PreviousSecretUntil : null,
            of.CreatedAt,
            secret
        );
}

/// <summary>How a subscription delivers.</summary>
/// <param name="Kind"><c>webhook</c> or <c>pull</c>.</param>
/// <param name="Url">A webhook's target.</param>
public sealed record DeliveryDocument(
    string Kind,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Url = null
)
{
    /// <summary>What other kinds have.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? More { get; set; }

    public static DeliveryDocument Of(JsonText delivery) =>
        JsonSerializer.Deserialize(delivery.Utf8.Span, SubscriptionJson.Default.DeliveryDocument)!;
}

/// <summary>What failed last.</summary>
public sealed record SubscriptionErrorDocument(string Detail, DateTimeOffset At);

/// <summary>A new secret, which is never shown again.</summary>
/// <param name="PreviousUntil">Until then requests carry a signature with the old one too.</param>
public sealed record SecretDocument(string Secret, DateTimeOffset? PreviousUntil);

/// <summary>A resource whose events are held back.</summary>
/// <param name="Position">That of the first event that is not delivered.</param>
/// <param name="RetryAt">When it is tried again; null = only by a replay.</param>
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
/// <c>delivered</c> or <c>failed</c>; of leased events <c>acked</c>, <c>nacked</c>, <c>parked</c> or <c>expired</c>.
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

/// <summary>What came of a test event.</summary>
/// <param name="Status">The HTTP status of the target's answer.</param>
/// <param name="Error">Why it was not delivered.</param>
public sealed record TestDocument(bool Delivered, int? Status, string? Error, int Milliseconds)
{
    public static TestDocument Of(DeliveryOutcome outcome) =>
        new(outcome.Error is null, outcome.Status, outcome.Error, outcome.Milliseconds);
}

/// <summary>Events that are a consumer's for a while.</summary>
/// <param name="Lease">By which they are acknowledged; null when there are none.</param>
/// <param name="Until">When it ends by itself.</param>
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
/// <param name="Attempt">How often it was leased.</param>
/// <param name="Event">The CloudEvent.</param>
public sealed record PulledEventDocument(int Attempt, JsonText Event);

/// <summary>How many events of the lease are settled.</summary>
public sealed record SettledDocument(int Settled);

/// <summary>Positions in their public form.</summary>
static class Positions
{
    public static string Text(long position) => position.ToString(CultureInfo.InvariantCulture);

    /// <summary>A position, or null.</summary>
    public static long? Parse(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : null;
}
