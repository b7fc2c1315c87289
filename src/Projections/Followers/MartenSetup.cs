using JasperFx;
using JasperFx.Events;
using Marten;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The one Marten configuration: event store, stored names and metadata.
/// </summary>
public static class MartenSetup
{
    /// <summary>The log and the documents, as every node uses them.</summary>
    public static void Configure(StoreOptions options, EventKinds kinds)
    {
        options.AutoCreateSchemaObjects = AutoCreate.None;
        options.UseSystemTextJsonForSerialization(EventKinds.Json, casing: Weasel.Core.Casing.CamelCase);
        options.Policies.DisableInformationalFields();

        options.Events.StreamIdentity = StreamIdentity.AsGuid;
        options.Events.UseExclusiveLockOnConcurrentAppends = true;
        options.Events.MetadataConfig.CorrelationIdEnabled = true;
        options.Events.MetadataConfig.CausationIdEnabled = true;
        options.Events.MetadataConfig.HeadersEnabled = true;
        options.Events.MetadataConfig.UserNameEnabled = true;
        foreach (var kind in kinds.All)
            options.Events.MapEventType(kind.Type, kind.Name);
    }

    /// <summary>
    /// Keeps the column that marks events for the daemon of the version before, which leaves marked ones out. Only for
    /// the schema: a store with this option leaves them out of every read, and a grain without one of its events has
    /// lost an acknowledged write.
    /// </summary>
    public static void KeepSkipMarks(StoreOptions options) =>
        options.Events.EnableEventSkippingInProjectionsOrSubscriptions = true;
}
