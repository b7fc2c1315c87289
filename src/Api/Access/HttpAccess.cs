using System.Diagnostics;
using Microsoft.AspNetCore.Authorization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>What the caller of a request may do.</summary>
public static class HttpAccess
{
    /// <summary>The caller of a request.</summary>
    /// <exception cref="InvalidOperationException">It has none: its endpoint is open.</exception>
    public static Caller Caller(this HttpContext context) =>
        Projections.Caller.Of(context.User)
        ?? throw new InvalidOperationException("The endpoint was reached without a caller.");

    /// <summary>The caller's account id.</summary>
    public static string CallerId(this HttpContext context) => context.Caller().Id;

    /// <summary>
    /// What the caller means by a command that has no Idempotency-Key. For guests the account speaks that they ask for.
    /// </summary>
    public static Intent Intend(this HttpContext context, Guid? account = null) =>
        new(
            Guid.CreateVersion7(),
            account?.ToString() ?? context.CallerId(),
            Activity.Current?.TraceId.ToHexString(),
            null,
            Conditions.None,
            Session: Projections.Caller.Of(context.User)?.Credential,
            Address: context.Connection.RemoteIpAddress?.ToString()
        );

    /// <summary>
    /// Lets only callers with the permission reach an endpoint. One that names a resource hides those that are beyond
    /// its reach.
    /// </summary>
    public static TBuilder Require<TBuilder>(this TBuilder endpoint, string permission)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint
            .RequireAuthorization(policy =>
                policy
                    .RequireAuthenticatedUser()
                    .RequireAssertion(context =>
                        Projections.Caller.Of(context.User)?.Permissions.ScopeOf(permission).IsNothing is false
                    )
            )
            .WithMetadata(new RequiredPermission(permission));

    /// <summary>The resources that the caller may see by a permission.</summary>
    public static Reach Visible(this HttpContext context, string permission) =>
        context.Caller().Permissions.ScopeOf(permission).Of(context.CallerId());

    /// <summary>What the caller may reach at this endpoint.</summary>
    /// <exception cref="InvalidOperationException">
    /// The endpoint requires no permission, so nothing says what may be reached.
    /// </exception>
    public static Reach Visible(this HttpContext context) => context.Visible(context.RequiredPermission());

    /// <summary>The permission that the endpoint requires.</summary>
    /// <exception cref="InvalidOperationException">It requires none.</exception>
    public static string RequiredPermission(this HttpContext context) =>
        (
            context.GetEndpoint()?.Metadata.GetMetadata<RequiredPermission>()
            ?? throw new InvalidOperationException(
                "The endpoint requires no permission; nothing says what its caller may reach."
            )
        ).Permission;

    /// <summary>
    /// Lets only sessions reach an endpoint, not API keys or tokens of other issuers: what it changes is the owner's
    /// alone.
    /// </summary>
    /// <param name="recent">
    /// The owner must have authenticated in the last minutes (<see cref="SessionLimits.RecentMinutes"/>).
    /// </param>
    public static TBuilder RequireSession<TBuilder>(this TBuilder endpoint, bool recent = false)
        where TBuilder : IEndpointConventionBuilder => endpoint.RequireSession(recent, orKey: false);

    /// <summary>
    /// Lets a session reach an endpoint only when its owner has authenticated in the last minutes. API keys may: nobody
    /// authenticates with them.
    /// </summary>
    public static TBuilder RequireRecent<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.RequireSession(recent: true, orKey: true);

    /// <summary>
    /// The same for what an endpoint finds out only from its body: why the caller has to authenticate first; null where
    /// there is no need.
    /// </summary>
    public static Answer? RefuseUnlessRecent(this HttpContext context) => RefusalOf(context, recent: true, orKey: true);

    static TBuilder RequireSession<TBuilder>(this TBuilder endpoint, bool recent, bool orKey)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequiredSession(recent, orKey, context => RefusalOf(context, recent, orKey)));

    static Answer? RefusalOf(HttpContext context, bool recent, bool orKey)
    {
        var caller = context.Caller();
        if (
            caller.Kind is not (CredentialKind.Token or CredentialKind.Cookie)
            && !(orKey && caller.Kind is CredentialKind.ApiKey)
        )
            return Answer.Refused(
                ProblemType.SessionRequired,
                orKey
                    ? "Tokens of other issuers are not accepted here; log in, or use an API key."
                    : "API keys and tokens of other issuers are not accepted here; log in."
            );
        var services = context.RequestServices;
        var since = services
            .GetRequiredService<TimeProvider>()
            .GetUtcNow()
            .AddMinutes(-services.GetRequiredService<SessionLimits>().RecentMinutes);
        return recent && caller.AuthenticatedAt < since
            ? Answer.Refused(
                ProblemType.ReauthenticationRequired,
                "Authenticate again first: POST /api/v1/auth/step-up."
            )
            : null;
    }
}
