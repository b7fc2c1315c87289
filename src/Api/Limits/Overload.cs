namespace Resources.Api;

/// <summary>Refuses what a node could only keep waiting, before any work is done for it.</summary>
public sealed class Overload(OverloadOptions options)
{
    int working;

    /// <summary>
    /// Middleware, behind routing and before authentication: counts requests that are worked on. Probes are always let
    /// in.
    /// </summary>
    public async Task ShedAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<Unlimited>() is not null)
        {
            await next(context);
            return;
        }
        try
        {
            if (Interlocked.Increment(ref working) <= options.MaxRequests)
                await next(context);
            else
                await Problems.WriteAsync(
                    context,
                    ProblemType.Overloaded,
                    "This node has as much to do as it can. Try again in a moment."
                );
        }
        finally
        {
            if (context.Features.Get<Waiting>() is null)
                Interlocked.Decrement(ref working);
        }
    }

    /// <summary>From here on the request only waits for something to happen, and does not count.</summary>
    public static void Waits(HttpContext context)
    {
        if (context.Features.Get<Waiting>() is not null)
            return;
        context.Features.Set(Waiting.Instance);
        Interlocked.Decrement(ref context.RequestServices.GetRequiredService<Overload>().working);
    }

    sealed class Waiting
    {
        public static readonly Waiting Instance = new();
    }
}
