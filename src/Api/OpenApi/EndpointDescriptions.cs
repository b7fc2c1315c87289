namespace Resources.Api;

/// <summary>Short words for what an endpoint takes and answers; the OpenAPI document is made of them.</summary>
public static class EndpointDescriptions
{
    /// <summary>
    /// The body an endpoint reads. Not the framework's Accepts: with that, routing answers 415 by itself, before it is
    /// known who asks and for what.
    /// </summary>
    public static RouteHandlerBuilder TakesBody<T>(this RouteHandlerBuilder endpoint, params string[] mediaTypes)
        where T : notnull =>
        endpoint.WithMetadata(new TakenBody(typeof(T), mediaTypes is [] ? ["application/json"] : mediaTypes));

    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder endpoint, int status) =>
        endpoint.Produces<T>(status, "application/json");

    /// <summary>Another form that a success may have.</summary>
    public static RouteHandlerBuilder OrAnswers<T>(this RouteHandlerBuilder endpoint) =>
        endpoint.WithMetadata(new OtherAnswer(typeof(T)));

    /// <summary>
    /// Headers of requests (conditions, keys) and successes (ETag, Position, Location) that clients may count on here.
    /// </summary>
    public static RouteHandlerBuilder Carries(this RouteHandlerBuilder endpoint, params string[] headers) =>
        endpoint.WithMetadata(new CarriedHeaders(headers));

    /// <summary>Failures of this endpoint beside those of its group.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint, params int[] statuses)
    {
        foreach (var status in statuses)
            endpoint.Produces<Problem>(status, "application/problem+json");
        return endpoint;
    }
}

/// <summary>The type of an endpoint's body and the media types it may come in.</summary>
public sealed record TakenBody(Type Type, string[] MediaTypes);

/// <summary>The type of an answer that an endpoint may give in place of its first.</summary>
public sealed record OtherAnswer(Type Type);

/// <summary>The headers that an endpoint reads or writes, beside those of every answer.</summary>
public sealed record CarriedHeaders(string[] Names);
