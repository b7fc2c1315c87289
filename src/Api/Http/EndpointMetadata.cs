using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Net.Http.Headers;
using Resources.Grains;

namespace Resources.Api;

/// <summary>The query parameters an endpoint takes; all others are refused.</summary>
public record QueryParameters(string[] Names);

/// <summary>Looks for what an address names, before its input is judged.</summary>
public sealed record FirstCheck(Func<HttpContext, Task<Rejection?>> Check);

/// <summary>Statuses that any endpoint of the group may answer, for its description.</summary>
public sealed record AlwaysRefuses(params int[] Statuses);

/// <summary>Marks an endpoint whose answers may have secrets.</summary>
public sealed record CarriesSecrets;

/// <summary>The bytes that a body may have, where they are fewer than those of any request; routing sets them.</summary>
public sealed record MaxBody(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;

/// <summary>Names the limit of an endpoint, where it is not the default.</summary>
public sealed record LimitedBy(string Policy);

/// <summary>Names a further limit of an endpoint that creates what lasts.</summary>
public sealed record CreationLimit(string Policy)
{
    public const string Users = "users";
    public const string Roles = "roles";
    public const string ApiKeys = "api_keys";
    public const string Subscriptions = "subscriptions";
}

/// <summary>Marks an endpoint that anybody may reach, and that finds out by itself who calls.</summary>
public sealed record FindsCaller;

/// <summary>A media type that an endpoint answers beside JSON.</summary>
public sealed record AnswersAs(string Type, string Subtype);

/// <summary>Marks an endpoint that machines poll: health and metrics.</summary>
public sealed record Unlimited;

/// <summary>The permission that an endpoint asks for.</summary>
public sealed record RequiredPermission(string Permission);

/// <summary>Says that an endpoint needs a session.</summary>
/// <param name="Recent">One whose owner has authenticated in the last minutes.</param>
/// <param name="OrKey">Or an API key.</param>
/// <param name="Check">Refuses a caller without such a session.</param>
public sealed record RequiredSession(bool Recent, bool OrKey, Func<HttpContext, Answer?> Check);

/// <summary>Marks an endpoint that also answers a stream.</summary>
/// <param name="Description">When it is a stream, and of what, for the reference.</param>
/// <param name="Parameter">The parameter that asks for it by <c>true</c>; null = the Accept header does.</param>
public sealed record StreamsEvents(string Description, string? Parameter = null)
{
    public const string MediaType = "text/event-stream";

    /// <summary>The member of a described response that says when it is a stream.</summary>
    public const string Extension = "x-event-stream";
}
