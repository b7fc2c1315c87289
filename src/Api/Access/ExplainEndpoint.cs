using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A question about the caller's rights.</summary>
/// <param name="Permission">Such as <c>resource:update</c>.</param>
/// <param name="ResourceId">The resource in question; absent = any.</param>
public sealed record ExplainRequest(string Permission, Guid? ResourceId = null);

/// <summary>Why the caller may or may not.</summary>
/// <param name="Because">Each step that led to the answer, in words.</param>
/// <param name="GrantedBy">The roles and permissions that allow it.</param>
public sealed record ExplanationDocument(bool Allowed, string[] Because, GrantDocument[] GrantedBy);

/// <summary>A role of the caller's account that allows it, and by which of its permissions.</summary>
public sealed record GrantDocument(string Role, string Permission);

/// <summary>Says why the caller may do something or may not. It tells nothing that trying would not.</summary>
public static class ExplainEndpoint
{
    public static void MapExplain(this RouteGroupBuilder api) =>
        api.MapPost("/access/explain", ExplainAsync)
            .WithTags("roles")
            .WithName("explainAccess")
            .WithSummary("Explain access")
            .WithDescription("Shows why the caller has a permission or lacks it.")
            .TakesBody<ExplainRequest>(
                """{"permission":"resource:update","resourceId":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10"}"""
            )
            .Answers<Envelope<ExplanationDocument>>(200)
            .Refuses(413, 415);

    static Task ExplainAsync(HttpContext context, IClusterClient cluster, AccessBook book) =>
        RequestBody.TakeAsync(context, Read, async asked =>
        {
            var caller = context.Caller();
            var scope = caller.Permissions.ScopeOf(asked.Permission);
            var because = new List<string>
            {
                caller.Roles is []
                    ? "The account has no roles."
                    : $"The account has the roles {string.Join(", ", caller.Roles)}.",
            };
            var grants = caller
                .Roles.SelectMany(role =>
                    book.PermissionsOf([role]).Granting(asked.Permission).Select(text => new GrantDocument(role, text))
                )
                .ToArray();
            because.Add(
                grants is []
                    ? $"None of them allows {asked.Permission}."
                    : $"{asked.Permission} is allowed by {string.Join(", ", grants.Select(grant => $"{grant.Permission} of {grant.Role}"))}."
            );
            if (caller.Kind is CredentialKind.ApiKey && grants is not [])
                because.Add(
                    scope.IsNothing ? "The API key does not allow it." : "The API key allows it, as far as it goes."
                );
            var allowed = !scope.IsNothing;
            if (asked.ResourceId is { } id && allowed)
            {
                var resource = (await ClusterCalls.SendAsync(_ => cluster.GetGrain<IResourceGrain>(id).Get())).Value;
                // What the caller may not see is told apart from what is not there by nobody, here too.
                var seen =
                    resource is not null
                    && caller
                        .Permissions.ScopeOf(Permissions.ResourceRead)
                        .Allows(resource.Type, resource.Owner, caller.Id);
                allowed = resource is not null && scope.Allows(resource.Type, resource.Owner, caller.Id);
                because.Add(
                    allowed ? "The resource is within reach."
                    : seen ? "The resource is another's, or of another type than is allowed."
                    : "There is no such resource for the caller."
                );
            }
            await Responses.OkAsync(
                context,
                new ExplanationDocument(allowed, [.. because], grants),
                AccessJson.Default.EnvelopeExplanationDocument
            );
        });

    static ExplainRequest Read(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var permission = reader.Text("permission", 1, 255);
        var text = reader.Text("resourceId", 1, 36, optional: true);
        reader.RefuseOthers();
        if (permission is not null && !Permissions.Known.Contains(permission))
            faults.Report(
                "/permission",
                "INVALID_PERMISSION",
                $"The permissions are {string.Join(", ", Permissions.Known)}."
            );
        Guid? resource = null;
        if (text is not null && Ids.TryParse(text, out var id))
            resource = id;
        else if (text is not null)
            faults.Report("/resourceId", "INVALID_ID", "This is not an id of ours.");
        return new(permission!, resource);
    }
}
