using Orleans.Runtime;

namespace Resources.Api;

/// <summary>Calls into the cluster from the edge. A call that fails because a node died is sent once more; the grain recognises what it did already.</summary>
public static class ClusterCalls
{
    /// <summary>Whether a call failed because the node that had the grain is gone.</summary>
    public static bool IsLostNode(Exception e) =>
        e is SiloUnavailableException or OrleansMessageRejectionException or ClientNotAvailableException or GatewayTooBusyException or TimeoutException;

    /// <summary>Sends a call, and sends it again, marked as repeated, if the node was lost.</summary>
    public static async Task<T> SendAsync<T>(Func<bool, Task<T>> call)
    {
        try
        {
            return await call(false);
        }
        catch (Exception e) when (IsLostNode(e))
        {
            return await call(true);
        }
    }
}
