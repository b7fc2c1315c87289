using System.Text.Json;

namespace Resources.Grains;

/// <summary>Which events a subscription delivers. Every part narrows it; null = all.</summary>
/// <param name="Type">Only events of resources of this type.</param>
/// <param name="Resource">Only events of this resource.</param>
/// <param name="Owner">Only events of this account's resources.</param>
/// <param name="Events">Only these kinds of events.</param>
[GenerateSerializer, Immutable, Alias("subscription-filter")]
public sealed record SubscriptionFilter(
    string? Type = null,
    Guid? Resource = null,
    string? Owner = null,
    string[]? Events = null
)
{
    /// <summary>As it is stored.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);

    public static SubscriptionFilter FromJson(string json) =>
        JsonSerializer.Deserialize<SubscriptionFilter>(json, JsonSerializerOptions.Web)!;
}
