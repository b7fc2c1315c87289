using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Metadata;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Silo;

/// <summary>
/// The log as Orleans streams. Its queues are no storage: each is a share of the types of resources, read from the tail
/// of whichever node has the queue. Streams are read only, as the one way into the log is to append.
/// </summary>
sealed class LogStreams : IQueueAdapterFactory, IQueueAdapter
{
    /// <summary>A consumer that is slow stops its queue, so there are some.</summary>
    static readonly HashRingStreamQueueMapperOptions Queues = new() { TotalQueueCount = 8 };

    readonly IClusterManifestProvider manifests;
    readonly HashRingBasedStreamQueueMapper mapper;
    readonly SimpleQueueAdapterCache cache;
    readonly Func<QueueId, LogStreamReceiver> receive;

    LogStreams(IServiceProvider services, string name)
    {
        Name = name;
        manifests = services.GetRequiredService<IClusterManifestProvider>();
        mapper = new(Queues, name);
        cache = new(new() { CacheSize = 1024 }, name, services.GetRequiredService<ILoggerFactory>());
        var tail = services.GetRequiredService<LogTail>();
        // A node that takes over a queue finds the last minute here, so each node keeps it that has such grains.
        if (HasConsumers(manifests.LocalGrainManifest))
            tail.Join();
        receive = queue =>
            new(
                stream => mapper.GetQueueForStream(stream).Equals(queue),
                () => manifests.Current.AllGrainManifests.Any(HasConsumers),
                tail,
                services.GetRequiredService<LogQueries>(),
                services.GetRequiredService<TimeProvider>()
            );
    }

    public string Name { get; }

    public StreamProviderDirection Direction => StreamProviderDirection.ReadOnly;

    /// <summary>
    /// What is still in a queue's cache can be had again. Consumers then also say how far they came, and are not given
    /// that twice.
    /// </summary>
    public bool IsRewindable => true;

    public static LogStreams Create(IServiceProvider services, string name) => new(services, name);

    /// <summary>Whether there are grains that subscribe to streams by their class.</summary>
    static bool HasConsumers(GrainManifest manifest) =>
        manifest.Grains.Values.Any(grain =>
            grain.Properties.Any(property =>
                property.Key.StartsWith(WellKnownGrainTypeProperties.BindingPrefix, StringComparison.Ordinal)
                && property.Value is WellKnownGrainTypeProperties.StreamBindingTypeValue
            )
        );

    /// <summary>The stream of a type of resource.</summary>
    public static StreamId StreamOf(string resourceType) => StreamId.Create(LoggedEvent.Namespace, resourceType);

    public IQueueAdapterReceiver CreateReceiver(QueueId queueId) => receive(queueId);

    public Task QueueMessageBatchAsync<T>(
        StreamId streamId,
        IEnumerable<T> events,
        StreamSequenceToken? token,
        Dictionary<string, object>? requestContext
    ) => throw new NotSupportedException("Events are appended to the log by grains; nothing else enters its streams.");

    public Task<IQueueAdapter> CreateAdapter() => Task.FromResult<IQueueAdapter>(this);

    public IQueueAdapterCache GetQueueAdapterCache() => cache;

    public IStreamQueueMapper GetStreamQueueMapper() => mapper;

    public Task<IStreamFailureHandler> GetDeliveryFailureHandler(QueueId queueId) =>
        Task.FromResult<IStreamFailureHandler>(new NoOpStreamDeliveryFailureHandler());
}
