namespace Resources.Api;

/// <summary>Refuses what a node could only keep waiting, before any work is done for it.</summary>
public sealed class Overload(OverloadOptions options)
{
    int working;

    /// <summary>Middleware, behind routing: streams, which only wait, and probes do not count.</summary>
    public async Task ShedAsync(HttpContext context, RequestDelegate next)
    {
        if (Waits(context))
        {
            await next(context);
            return;
        }
        try
        {
            if (Interlocked.Increment(ref working) <= options.MaxRequests) await next(context);
            else await Problems.WriteAsync(context, ProblemType.Overloaded, "This node has as much to do as it can. Try again in a moment.");
        }
        finally
        {
            Interlocked.Decrement(ref working);
        }
    }

    static bool Waits(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata is not { } endpoint) return false;
        if (endpoint.GetMetadata<Unlimited>() is not null || endpoint.GetMetadata<WaitsForEvents>() is not null) return true;
        return endpoint.GetMetadata<StreamsEvents>() is { } streams && (context.Request.Query.ContainsKey("wait") || (streams.Parameter is { } name ? context.Request.Query[name] is ["true"] : EventQuery.WantsStream(context)));
    }
}

/// <summary>Marks an endpoint whose requests mostly wait for something to happen.</summary>
public sealed record WaitsForEvents;
