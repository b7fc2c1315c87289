namespace Resources.Api;

/// <summary>Refuses what a node could only keep waiting, before any work is done for it.</summary>
public sealed class Overload(OverloadOptions options)
{
    readonly AddressShares places = new(
        options.MaxRequests,
        Part(options, options.MaxPercentPerAddress),
        Part(options, Math.Max(options.MaxPercentPerAddress, options.MaxPercentPerNeighbourhood))
    );

    /// <summary>
    /// Middleware, behind routing and before authentication: counts requests that are worked on. Probes are always let
    /// in.
    /// </summary>
    public async Task ShedAsync(HttpContext context, RequestDelegate next)
    {
        if (IsFree(context))
        {
            await next(context);
            return;
        }
        if (!places.TryTake(context.Connection.RemoteIpAddress))
        {
            await Problems.WriteAsync(context, ProblemType.Overloaded, Detail);
            return;
        }
        try
        {
            await next(context);
        }
        finally
        {
            if (context.Features.Get<Waiting>() is null)
                places.Return(context.Connection.RemoteIpAddress);
        }
    }

    /// <summary>From here on the request only waits for something to happen, and does not count.</summary>
    public static void Waits(HttpContext context)
    {
        if (context.Features.Get<Waiting>() is not null || IsFree(context))
            return;
        context.Features.Set(Waiting.Instance);
        context.RequestServices.GetRequiredService<Overload>().places.Return(context.Connection.RemoteIpAddress);
    }

    /// <summary>From here on a request that has waited is worked on, and counts again.</summary>
    /// <exception cref="ProblemException">The node has as much to do as it can.</exception>
    public void GoesOn(HttpContext context)
    {
        if (context.Features.Get<Waiting>() is null)
            return;
        if (!places.TryTake(context.Connection.RemoteIpAddress))
            throw new ProblemException(ProblemType.Overloaded, Detail);
        context.Features.Set<Waiting>(null);
    }

    static bool IsFree(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<Unlimited>() is not null;

    static long Part(OverloadOptions options, int percent) => Math.Max(1, (long)options.MaxRequests * percent / 100);

    const string Detail =
        "This node has as much to do as it can, or as it does for one network. Try again in a moment.";

    sealed class Waiting
    {
        public static readonly Waiting Instance = new();
    }
}
