namespace Resources.Silo;

/// <summary>
/// Tells that the node is about to stop, before it takes no more requests: streams end, so that their clients open them
/// at another node.
/// </summary>
public sealed class StopSignal
{
    readonly CancellationTokenSource begun = new();

    public bool IsBegun => begun.IsCancellationRequested;

    /// <summary>Cancelled when the stop begins.</summary>
    public CancellationToken Token => begun.Token;

    public Task BeginAsync() => begun.CancelAsync();
}
