using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Says that from here on a request waits for its client, and takes no place of those that are worked on.</summary>
public delegate void WaitsForClient(HttpContext context);

/// <summary>
/// Memory of responses that their clients have not received yet. A client that does not read has its part of it, and
/// then gets no more.
/// </summary>
static class ResponseMemory
{
    /// <summary>What a caller is told who has its part.</summary>
    public const string Refusal =
        "You have not received as much of earlier responses as this node keeps for one caller. "
        + "Read them, or close their connections.";

    /// <summary>The same where the request has taken effect.</summary>
    const string RefusalOfResponse =
        "The request has taken effect, but its response is too large for what this node keeps of responses that are not "
        + "received yet. Read earlier ones, then read the resource, or repeat the request with the same Idempotency-Key.";

    /// <summary>How long a request waits for memory.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Takes memory for the response to a write before it takes effect: afterwards it is too late to refuse it.
    /// </summary>
    /// <param name="bytes">Of the largest part of the response; the rest is small.</param>
    /// <exception cref="StoreOverloadedException">There was none in time: the caller, or the node, has its part.</exception>
    public static async ValueTask ReserveAsync(HttpContext context, long bytes)
    {
        if (await TakeAsync(context, HolderOf(context), bytes) is { } lease)
            Hold(context, lease);
    }

    /// <summary>The same; whoever asks gives it back. Null where so little needs none.</summary>
    /// <param name="hasEffect">Whether the response is to what was done already.</param>
    /// <exception cref="ProblemException">There was none for the response to a write.</exception>
    public static async ValueTask<MemoryLease?> TakeAsync(
        HttpContext context,
        string holder,
        long bytes,
        bool hasEffect = false
    )
    {
        if (bytes <= ReadMemory.Free / 2)
            return null;
        var memory = context.RequestServices.GetRequiredService<ReadMemory>();
        return await memory.TakeAsync(holder, bytes, Patience, context.RequestAborted)
            ?? throw (
                hasEffect ? new ProblemException(ProblemType.Overloaded, RefusalOfResponse) : memory.Refused(holder)
            );
    }

    /// <summary>Holds memory that was taken for a response before it was read, until the client has received it.</summary>
    public static void Hold(HttpContext context, MemoryLease memory)
    {
        context.Features.Set(memory);
        context.Response.RegisterForDispose(memory);
    }

    /// <summary>Holds memory for the body of a response, until the client has received it.</summary>
    /// <exception cref="StoreOverloadedException">
    /// The caller, or the node, has its part.
    /// </exception>
    /// <exception cref="ProblemException">
    /// The same after a write. Where its response is known to be large, <see cref="ReserveAsync"/> comes before the write.
    /// </exception>
    public static void Hold(HttpContext context, int bytes)
    {
        var method = context.Request.Method;
        if (bytes <= ReadMemory.Free || HttpMethods.IsHead(method))
            return;
        if (context.Features.Get<MemoryLease>() is { } taken)
        {
            context.RequestServices.GetRequiredService<WaitsForClient>()(context);
            taken.Set(bytes);
            return;
        }
        var memory = context.RequestServices.GetRequiredService<ReadMemory>();
        var holder = HolderOf(context);
        if (memory.TryTake(holder, bytes) is not { } lease)
        {
            context.Response.Headers.Remove("ETag");
            context.Response.Headers.Remove("Location");
            context.Response.Headers.Remove(Responses.PositionHeader);
            throw HttpMethods.IsGet(method) || context.Response.StatusCode >= StatusCodes.Status400BadRequest
                ? memory.Refused(holder)
                : new ProblemException(ProblemType.Overloaded, RefusalOfResponse);
        }
        context.Response.RegisterForDispose(lease);
        context.RequestServices.GetRequiredService<WaitsForClient>()(context);
    }

    static string HolderOf(HttpContext context) =>
        Caller.Of(context.User)?.Id ?? Networks.Neighbourhood(context.Connection.RemoteIpAddress);
}
