using JasperFx;
using JasperFx.Events;
using JasperFx.Events.Daemon;
using JasperFx.Events.Daemon.HighWater;
using JasperFx.Events.Projections;
using Marten;
using Npgsql;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>The one Marten configuration: event store, stored names, metadata and projections.</summary>
public static class EventStore
{
    public static void Configure(StoreOptions options, NpgsqlDataSource database, AppendSignal? appended = null)
    {
        options.Connection(database);
        options.AutoCreateSchemaObjects = AutoCreate.None;
        options.UseSystemTextJsonForSerialization(EventTypes.Json, casing: Weasel.Core.Casing.CamelCase);
        options.Policies.DisableInformationalFields();

        options.Events.StreamIdentity = StreamIdentity.AsGuid;
        options.Events.UseExclusiveLockOnConcurrentAppends = true;
        options.Events.MetadataConfig.CorrelationIdEnabled = true;
        options.Events.MetadataConfig.CausationIdEnabled = true;
        options.Events.MetadataConfig.HeadersEnabled = true;
        options.Events.MetadataConfig.UserNameEnabled = true;
        foreach (var (type, name) in EventTypes.Names) options.Events.MapEventType(type, name);

        options.Schema.For<Account>();

        options.Projections.Add(new ResourceViewProjection(), ProjectionLifecycle.Async, ResourceViewProjection.Name);
        options.Projections.AsyncMode = DaemonMode.ExternallyManaged;
        if (appended is not null) options.Projections.Wakeup = new Wakeup(appended);
        options.Projections.SlowPollingTime = TimeSpan.FromMilliseconds(200);
        options.Projections.FastPollingTime = TimeSpan.FromMilliseconds(50);
        // Positions are committed in their order, so a gap below a position that can be seen stays one: nothing is to be waited for.
        options.Projections.StaleSequenceThreshold = TimeSpan.FromMilliseconds(200);
        // A poison event stops its projection where everyone can see it; it is never skipped.
        options.Projections.Errors.SkipApplyErrors = false;
        options.Projections.Errors.SkipSerializationErrors = false;
        options.Projections.Errors.SkipUnknownEvents = false;
    }

    /// <summary>
    /// Appends of this node wake the daemon at once; those of other nodes are found by its poll. Under load it looks no
    /// more often than every <see cref="Rest"/>, as each look costs two statements.
    /// </summary>
    sealed class Wakeup(AppendSignal appended) : IDaemonWakeup
    {
        static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(40);

        readonly TimeProvider time = TimeProvider.System;
        long wokenAt;
        long seen;

        public async Task WaitAsync(TimeSpan timeout, CancellationToken token)
        {
            if (time.GetElapsedTime(wokenAt) is var rested && rested < Rest) await Task.Delay(Rest - rested, time, token);
            seen = await appended.WaitAsync(seen, timeout, token);
            wokenAt = time.GetTimestamp();
        }

        public void Dispose()
        {
        }
    }
}
