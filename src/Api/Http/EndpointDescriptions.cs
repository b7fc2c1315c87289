namespace Resources.Api;

/// <summary>Short words for what an endpoint takes and answers; the OpenAPI document is made of them.</summary>
public static class EndpointDescriptions
{
    public static RouteHandlerBuilder TakesBody<T>(this RouteHandlerBuilder endpoint, string mediaType = "application/json", params string[] others) where T : notnull =>
        endpoint.Accepts<T>(mediaType, others);

    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder endpoint, int status) => endpoint.Produces<T>(status, "application/json");

    /// <summary>Failures of this endpoint beside those of its group.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint, params int[] statuses)
    {
        foreach (var status in statuses) endpoint.Produces<Problem>(status, "application/problem+json");
        return endpoint;
    }
}
