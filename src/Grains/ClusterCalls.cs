using Orleans.Runtime;

namespace Resources.Grains;

/// <summary>
/// Calls into the cluster from the edge. A call that fails because a node died is sent once more; the grain recognises
/// what it did already.
/// </summary>
public static class ClusterCalls
{
    /// <summary>
    /// A read without an answer for so long is sent again. A node that died may have had it last, passed on by one that
    /// lives: then nobody says that it is lost, and the caller would wait for the whole time that a call may take.
    /// </summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Whether a call failed because a node is gone, that of the grain or one that knew where it is, or this one for
    /// the others. Calls to grains carry no cancellation of ours: one that ends cancelled has expired on its way, as
    /// those do that a node was about to send when it was paused.
    /// </summary>
    public static bool IsLostNode(Exception e) =>
        e is OrleansException or TimeoutException or OperationCanceledException;

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

    /// <summary>
    /// Sends a command, and sends it again, marked as repeated, if the node was lost. A command that is not answered is not
    /// sent again meanwhile: the store may be waiting for a standby, and a second look would take for done what is not.
    /// </summary>
    public static Task<T> SendAsync<T>(Intent intent, Func<Intent, Task<T>> call) =>
        SendAsync(again => call(again ? intent with { Repeated = true } : intent));

    /// <summary>Reads, and reads again if the node was lost or does not answer.</summary>
    public static async Task<T> ReadAsync<T>(Func<Task<T>> read)
    {
        var first = read();
        try
        {
            return await first.WaitAsync(Patience);
        }
        catch (Exception e) when (IsLostNode(e) && first.IsCompleted)
        {
            return await read();
        }
        catch (TimeoutException)
        {
            var second = read();
            var answered = await Task.WhenAny(first, second);
            var other = answered == first ? second : first;
            if (answered.Exception?.InnerException is { } lost && IsLostNode(lost) || answered.IsCanceled)
                return await other;
            other.Ignore();
            return await answered;
        }
    }
}
