using JasperFx;
using JasperFx.Events;
using JasperFx.Events.Daemon;
using JasperFx.Events.Projections;
using Marten;
using Marten.Events.Projections;
using Marten.Services;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The one Marten configuration: event store, stored names, metadata, and the projection that a daemon runs.
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
    /// Gives events a mark by which an operator tells followers, and rebuilds, to leave them out. Only for the daemon
    /// and the schema: a store with this option leaves marked events out of every read, and a grain without one of its
    /// events has lost an acknowledged write.
    /// </summary>
    public static void SkipMarkedEvents(StoreOptions options) =>
        options.Events.EnableEventSkippingInProjectionsOrSubscriptions = true;

    /// <summary>Adds what a daemon needs to run one projection.</summary>
    /// <param name="name">The follower's name in Marten's table of positions.</param>
    public static void Follow<TProjection>(StoreOptions options, TProjection projection, string name, int batchSize)
        where TProjection : ProjectionBase, IProjection, IChangeListener
    {
        // The views know nothing of what an event's command came with, and each event's would be parsed.
        options.Events.MetadataConfig.HeadersEnabled =
            options.Events.MetadataConfig.CorrelationIdEnabled =
            options.Events.MetadataConfig.CausationIdEnabled =
                false;
        SkipMarkedEvents(options);
        options.Projections.Add(projection, ProjectionLifecycle.Async, name, run =>
        {
            run.BatchSize = batchSize;
            run.MaximumHopperSize = batchSize;
        });
        options.Projections.AsyncListeners.Add(projection);
        options.Projections.AsyncMode = DaemonMode.ExternallyManaged;
        // The log's head is given to the daemon as soon as it moves (ProjectionRun). Its own look is only there because
        // it must be: it may not pass a gap by itself, as it goes by numbers that are drawn, and some of those may
        // belong to an append under way.
        options.Projections.SlowPollingTime = options.Projections.FastPollingTime = TimeSpan.FromSeconds(5);
        options.Projections.StaleSequenceThreshold = TimeSpan.FromDays(1);
        options.Projections.UseTransactionEvidenceForGapSkipping = true;
        // A poison event stops its projection where everyone can see it; it is never skipped unasked.
        options.Projections.Errors.SkipApplyErrors = false;
        options.Projections.Errors.SkipSerializationErrors = false;
        options.Projections.Errors.SkipUnknownEvents = false;
    }
}
