using System.Collections.Concurrent;
using Orleans;
using Orleans.Placement;
using Orleans.Runtime;
using Orleans.Streams;
using Orleans.Streams.Core;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>
/// Consumes the stream of a type of resources, as a grain of a user of the product would. Its key is the type.
/// </summary>
[Alias("tests.IListener")]
public interface IListener : IGrainWithStringKey
{
    /// <summary>The node that the grain is on.</summary>
    [Alias("Node")]
    Task<string> Node();
}

[ImplicitStreamSubscription(LoggedEvent.Namespace), PreferLocalPlacement]
public sealed class Listener(ILocalSiloDetails node)
    : Grain,
        IListener,
        IStreamSubscriptionObserver,
        IAsyncObserver<LoggedEvent>
{
    // As a store would: the activation may end with a node, as whatever its directory kept there does.
    static readonly ConcurrentDictionary<string, List<LoggedEvent>> Store = new();

    /// <summary>The events of a type so far.</summary>
    public static LoggedEvent[] Heard(string type)
    {
        var heard = Of(type);
        lock (heard)
            return [.. heard];
    }

    public Task OnSubscribed(IStreamSubscriptionHandleFactory handleFactory) =>
        handleFactory.Create<LoggedEvent>().ResumeAsync(this);

    public Task OnNextAsync(LoggedEvent item, StreamSequenceToken? token = null)
    {
        Assert.Equal(item.Position, token!.SequenceNumber);
        var heard = Of(this.GetPrimaryKeyString());
        // What comes twice is known by its position.
        lock (heard)
            if (heard is [] || item.Position > heard[^1].Position)
                heard.Add(item);
        return Task.CompletedTask;
    }

    public Task OnErrorAsync(Exception ex) => Task.CompletedTask;

    public Task<string> Node() => Task.FromResult(node.SiloAddress.ToString());

    static List<LoggedEvent> Of(string type) => Store.GetOrAdd(type, _ => []);
}
