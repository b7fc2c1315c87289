using Microsoft.AspNetCore.Authorization;
using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// The group of all endpoints under <c>/api/v1</c>. It carries their safety: who is not signed in gets no further,
/// parameters that an endpoint does not name are refused, and every answer has a form the client accepts. An endpoint
/// cannot forget it.
/// </summary>
public static class ApiGroup
{
    public const string Path = "/api/v1";

    /// <summary>Bodies that may come from anybody. Credentials are small.</summary>
    const int MaxOpenBody = 16 * 1024;

    static readonly string[] GetAndHead = ["GET", "HEAD"];

    public static RouteGroupBuilder MapApi(this WebApplication app)
    {
        var api = app.MapGroup(Path);
        api.RequireAuthorization();
        api.AddEndpointFilter(RefuseBadRequestsAsync);
        // Last of all, when it is known what an endpoint says of itself.
        ((IEndpointConventionBuilder)api).Finally(BoundOpenBody);
        api.WithMetadata(new AlwaysRefuses(400, 401, 403, 406, 414, 429, 431, 500, 503));
        return api;
    }

    /// <summary>Maps a read: GET and HEAD.</summary>
    public static RouteHandlerBuilder MapRead(this IEndpointRouteBuilder routes, string pattern, Delegate handler) =>
        routes.MapMethods(pattern, GetAndHead, handler);

    /// <summary>
    /// Maps a WebSocket: GET opens it over HTTP/1.1 and CONNECT over HTTP/2; HEAD is answered as GET is without an
    /// upgrade.
    /// </summary>
    public static RouteHandlerBuilder MapSocket(this IEndpointRouteBuilder routes, string pattern, Delegate handler) =>
        routes.MapMethods(pattern, [.. GetAndHead, "CONNECT"], handler);

    /// <summary>Lets HEAD reach reads that a library has mapped for GET.</summary>
    public static TBuilder TakesHead<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new HttpMethodMetadata(GetAndHead));

    /// <summary>
    /// Says what comes before bad input for this endpoint: 404 and 410 of the thing that is addressed.
    /// </summary>
    public static TBuilder ChecksFirst<TBuilder>(this TBuilder endpoint, Func<HttpContext, Task<Rejection?>> check)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new FirstCheck(check));

    /// <summary>Says that answers may have secrets: they are not compressed.</summary>
    public static TBuilder CarriesSecrets<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new CarriesSecrets());

    /// <summary>Says that answers may have another media type than JSON, too.</summary>
    public static TBuilder AlsoAnswers<TBuilder>(this TBuilder endpoint, string mediaType)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new AnswersAs(mediaType.Split('/')[0], mediaType.Split('/')[1]));

    /// <summary>Puts an endpoint under a limit of its own.</summary>
    public static TBuilder LimitBy<TBuilder>(this TBuilder endpoint, string policy)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new LimitedBy(policy));

    /// <summary>Counts what an endpoint creates for its caller, beside the limit of requests.</summary>
    /// <param name="policy">One of the names in <see cref="CreationLimit"/>.</param>
    public static TBuilder LimitCreation<TBuilder>(this TBuilder endpoint, string policy)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new CreationLimit(policy));

    /// <summary>The answer to bad input, unless what is addressed is not there at all.</summary>
    public static async Task<Answer> RefusalAsync(HttpContext context, IReadOnlyList<Fault> faults) =>
        context.GetEndpoint()?.Metadata.GetMetadata<FirstCheck>() is { } first
        && await first.Check(context) is { } rejection
            ? rejection
            : Answer.Invalid(faults);

    static void BoundOpenBody(EndpointBuilder endpoint)
    {
        var isOpen =
            endpoint.Metadata.OfType<IAllowAnonymous>().Any()
            || endpoint is RouteEndpointBuilder { RoutePattern.RawText: { } path }
                && path.StartsWith(Path + "/auth/", StringComparison.Ordinal);
        if (isOpen && !endpoint.Metadata.OfType<MaxBody>().Any())
            endpoint.Metadata.Add(new MaxBody(MaxOpenBody));
    }

    static async ValueTask<object?> RefuseBadRequestsAsync(
        EndpointFilterInvocationContext invocation,
        EndpointFilterDelegate next
    )
    {
        var context = invocation.HttpContext;
        // What an endpoint does not open to its caller's own cache is kept nowhere.
        context.Response.Headers.CacheControl = "no-store";
        if (!Accepts(context))
            return Answer.Refused(ProblemType.NotAcceptable, "Answers are application/json.");
        if (context.GetEndpoint()?.Metadata.GetMetadata<RequiredSession>()?.Check(context) is { } refused)
            return refused;
        if (context.Request.QueryString.HasValue && QueryFaults(context) is { Count: > 0 } faults)
            return await RefusalAsync(context, faults);
        return await next(invocation);
    }

    static List<Fault> QueryFaults(HttpContext context)
    {
        var known = context.GetEndpoint()?.Metadata.GetMetadata<QueryParameters>()?.Names ?? [];
        var faults = new List<Fault>();
        foreach (var (name, values) in context.Request.Query)
            if (!known.Contains(name))
                faults.Report(
                    "?" + name,
                    "UNKNOWN_PARAMETER",
                    known is []
                        ? "This address takes no parameters."
                        : $"The parameters here are {string.Join(", ", known)}."
                );
            else if (values.Count > 1)
                faults.Report("?" + name, "REPEATED_PARAMETER", $"{name} is given more than once.");
            else if (!StrictJson.TextIsClean(values.ToString()))
                faults.Report("?" + name, "INVALID_PARAMETER", $"{name} has a character that no text may have.");
        return faults;
    }

    static bool Accepts(HttpContext context)
    {
        var streams = context.GetEndpoint()?.Metadata.GetMetadata<StreamsEvents>();
        if (streams is { Parameter: null })
            context.Response.Headers.Append("Vary", "Accept");
        if (context.Request.Headers.Accept is [] or ["*/*"] or ["application/json"])
            return true;
        var accepted = Accepted.Read(context.Request);
        var others = context.GetEndpoint()?.Metadata.GetOrderedMetadata<AnswersAs>() ?? [];
        return accepted.Weight("application", "json") > 0
            || others.Any(other => accepted.Weight(other.Type, other.Subtype) > 0)
            || streams is not null
                && (streams.Parameter is null || context.Request.Query[streams.Parameter] is ["true"])
                && accepted.Prefers("text", "event-stream");
    }
}
