using System.Text.Json;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>The kinds of delivery that this node knows.</summary>
public sealed class Deliveries(IEnumerable<IDelivery> kinds)
{
    const int MaxKind = 20;

    readonly IDelivery[] kinds = [.. kinds];

    /// <summary>
    /// A kind by its name; null for one that only nodes of a later version, or of another application, know.
    /// </summary>
    public IDelivery? Find(string kind) => kinds.FirstOrDefault(each => each.Kind == kind);

    /// <summary>The names of the kinds whose events the node sends by itself.</summary>
    public IReadOnlyList<string> Pushing { get; } = [.. kinds.OfType<IPushDelivery>().Select(each => each.Kind)];

    /// <summary>Whether subscriptions of a kind share a secret with their target.</summary>
    public bool HasSecret(string kind) => Find(kind)?.CreateSecret() is not null;

    /// <summary>See <see cref="IDelivery.ForLog"/>; of an unknown kind, its name alone.</summary>
    public JsonText ForLog(string kind, JsonText settings) =>
        Find(kind)?.ForLog(settings) ?? JsonText.From(JsonSerializer.SerializeToElement(new { kind }));

    /// <summary>Reads how a new subscription delivers.</summary>
    /// <returns>Its settings with the kind; null where there are faults.</returns>
    public async Task<JsonText?> ReadAsync(ObjectReader asked, List<Fault> faults, CancellationToken ct)
    {
        var kind = asked.Text("kind", 1, MaxKind);
        if (kind is not null && Find(kind) is { } delivery)
            return await delivery.ReadAsync(asked, faults, ct);
        if (kind is not null)
            faults.Report(
                "/delivery/kind",
                "UNKNOWN_DELIVERY",
                $"The kinds are {string.Join(", ", kinds.Select(each => each.Kind))}."
            );
        asked.RefuseOthers();
        return null;
    }
}
