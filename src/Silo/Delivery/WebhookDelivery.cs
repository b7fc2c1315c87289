using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>Sends each event to a URL, signed as Standard Webhooks asks.</summary>
sealed class WebhookDelivery(WebhookSender sender, WebhookTargets targets, WebhookOptions options) : IPushDelivery
{
    const int MaxText = 10_000;

    public string Kind => "webhook";

    public int MaxConcurrent => options.MaxConcurrent;

    public IReadOnlyList<TimeSpan> Retries { get; } = options.Retries;

    public Task<JsonText?> ReadAsync(ObjectReader asked, List<Fault> faults, CancellationToken ct)
    {
        var url = asked.Text("url", 1, MaxText);
        asked.RefuseOthers();
        if (url is not null && targets.Refuse(url) is { } refusal)
        {
            faults.Report("/delivery/url", WebhookTargets.Forbidden, refusal);
            url = null;
        }
        return Task.FromResult(
            url is null ? null : JsonText.From(JsonSerializer.SerializeToElement(new { kind = Kind, url }))
        );
    }

    public bool AsksOthers(JsonText settings) => targets.HasName(UrlOf(settings.ToElement()).OriginalString);

    public async Task<Fault?> RefuseAsync(JsonText settings, string asker, CancellationToken ct) =>
        await targets.RefuseAsync(UrlOf(settings.ToElement()).OriginalString, asker, ct) is { } refusal
            ? new("/delivery/url", WebhookTargets.Forbidden, refusal)
            : null;

    /// <summary>Path and query stay out of the log: for many receivers they are a password.</summary>
    public JsonText ForLog(JsonText settings) =>
        JsonText.From(
            JsonSerializer.SerializeToElement(
                new { kind = Kind, origin = UrlOf(settings.ToElement()).GetLeftPart(UriPartial.Authority) }
            )
        );

    public DeliverySecret CreateSecret()
    {
        var secret = WebhookSecret.Create();
        return new(secret, WebhookSecret.Show(secret), TimeSpan.FromHours(options.RotationHours));
    }

    public Task<DeliveryOutcome> SendAsync(DeliveryTarget target, LogEvent logged, CancellationToken ct) =>
        sender.SendAsync(
            new(target.Owner, UrlOf(target.Settings), target.Secret!, target.PreviousSecret, target.PreviousUntil),
            logged,
            ct
        );

    static Uri UrlOf(JsonElement settings) => new(settings.GetProperty("url").GetString()!);
}
