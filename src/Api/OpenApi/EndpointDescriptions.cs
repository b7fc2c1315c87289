namespace Resources.Api;

/// <summary>Short words for what an endpoint takes and answers; the OpenAPI document is made of them.</summary>
public static class EndpointDescriptions
{
    /// <summary>Describes a parameter of the path, for an endpoint or for all of a group.</summary>
    public static TBuilder TakesPath<TBuilder>(this TBuilder endpoint, Parameter parameter)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new PathParameter(parameter));

    /// <summary>Names the query parameters of an endpoint; all others are refused.</summary>
    public static TBuilder TakesQuery<TBuilder>(this TBuilder endpoint, params Parameter[] parameters)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new DescribedQuery(parameters));

    /// <summary>Headers of requests that the endpoint reads: conditions and keys.</summary>
    public static TBuilder TakesHeaders<TBuilder>(this TBuilder endpoint, params Parameter[] headers)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new TakenHeaders(headers));

    /// <summary>
    /// The body an endpoint reads; once for each media type. Not the framework's Accepts: with that, routing answers
    /// 415 by itself, before it is known who asks and for what.
    /// </summary>
    /// <param name="example">A body, as JSON.</param>
    /// <param name="mediaTypes">The media types that it may have; without any, <c>application/json</c>.</param>
    public static RouteHandlerBuilder TakesBody<T>(
        this RouteHandlerBuilder endpoint,
        string example,
        params string[] mediaTypes
    )
        where T : notnull =>
        endpoint.WithMetadata([
            .. mediaTypes.DefaultIfEmpty("application/json").Select(each => new TakenBody(typeof(T), example, each)),
        ]);

    /// <summary>A JSON body that may be left out.</summary>
    public static RouteHandlerBuilder MayTakeBody<T>(this RouteHandlerBuilder endpoint, string example)
        where T : notnull =>
        endpoint.WithMetadata(new TakenBody(typeof(T), example, "application/json") { IsOptional = true });

    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder endpoint, int status) =>
        endpoint.Produces<T>(status, "application/json");

    /// <summary>Another form that a success may have.</summary>
    public static RouteHandlerBuilder OrAnswers<T>(this RouteHandlerBuilder endpoint) =>
        endpoint.WithMetadata(new OtherAnswer(typeof(T)));

    /// <summary>Headers of successes that clients may count on here, beside those of every answer.</summary>
    public static TBuilder Carries<TBuilder>(this TBuilder endpoint, params Parameter[] headers)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new CarriedHeaders(headers));

    /// <summary>Failures of this endpoint beside those of its group.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint, params int[] statuses)
    {
        foreach (var status in statuses)
            endpoint.Produces<Problem>(status, "application/problem+json");
        return endpoint;
    }

    /// <summary>Failures that have a form of their own here, beside that of problems.</summary>
    public static RouteHandlerBuilder RefusesAs<T>(
        this RouteHandlerBuilder endpoint,
        int[] statuses,
        params string[] mediaTypes
    ) => endpoint.Refuses(statuses).WithMetadata(new OwnRefusals(typeof(T), statuses, mediaTypes));
}

/// <summary>
/// Stands in the reference for a document of which a request may ask for some members only. Its id is always there.
/// </summary>
public sealed record Partial<T>;

/// <summary>A parameter of an endpoint's path.</summary>
public sealed record PathParameter(Parameter Parameter);

/// <summary>The query parameters an endpoint takes, with their descriptions.</summary>
public sealed record DescribedQuery(Parameter[] Parameters)
    : QueryParameters([.. Parameters.Select(parameter => parameter.Name)]);

/// <summary>The headers of requests that an endpoint reads.</summary>
public sealed record TakenHeaders(Parameter[] Headers);

/// <summary>The type of an endpoint's body in one media type, and a body of it.</summary>
public sealed record TakenBody(Type Type, string Example, string MediaType)
{
    /// <summary>Whether the body may be left out.</summary>
    public bool IsOptional { get; init; }
}

/// <summary>The type of an answer that an endpoint may give in place of its first.</summary>
public sealed record OtherAnswer(Type Type);

/// <summary>The headers of an endpoint's successes.</summary>
public sealed record CarriedHeaders(Parameter[] Headers);

/// <summary>The type of failures that are no problem documents.</summary>
public sealed record OwnRefusals(Type Type, int[] Statuses, string[] MediaTypes);
