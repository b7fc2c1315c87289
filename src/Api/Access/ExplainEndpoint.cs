using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A question about the caller's rights.</summary>
/// <param name="Permission">Such as <c>resource:update</c>.</param>
/// <param name="ResourceId">The resource in question; without it, any.</param>
public sealed record ExplainRequest(string Permission, Guid? ResourceId = null);

/// <summary>Why the caller has a permission or lacks it.</summary>
/// <param name="Because">Each step that led to the answer.</param>
/// <param name="GrantedBy">The roles and permissions that allow it.</param>
public sealed record ExplanationDocument(bool Allowed, string[] Because, GrantDocument[] GrantedBy);

/// <summary>A role of the caller's account, and its permission that allows the action.</summary>
public sealed record GrantDocument(string Role, string Permission);

/// <summary>Explains why the caller has a permission or lacks it. It reveals no more than an attempt would.</summary>
public static class ExplainEndpoint
{
    public static void MapExplain(this RouteGroupBuilder api) =>
        api.MapPost("/access/explain", ExplainAsync)
            .WithTags("roles")
            .WithName("explainAccess")
            .AuditsNothing()
            .WithSummary("Explain access")
            .WithDescription("Shows why the caller has a permission or lacks it.")
            .TakesBody<ExplainRequest>(
                """{"permission":"resource:update","resourceId":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10"}"""
            )
            .Answers<Envelope<ExplanationDocument>>(200)
            .Refuses(413, 415);

    static Task<Answer> ExplainAsync(
        HttpContext context,
        ResourceDoor door,
        AccessBook book,
        PermissionCatalogue catalogue,
        TypeActions actions
    ) =>
        RequestBody.TakeAsync(
            context,
            (body, faults) => Read(body, context.Caller(), catalogue, actions, faults),
            async asked => Answer.Of(await DecideAsync(context.Caller(), asked, door, book))
        );

    static async Task<ExplanationDocument> DecideAsync(
        Caller caller,
        ExplainRequest asked,
        ResourceDoor door,
        AccessBook book
    )
    {
        var allowed = !caller.Permissions.ScopeOf(asked.Permission).IsNothing;
        var because = new List<string>
        {
            caller.Roles is { Length: > 0 } roles
                ? $"The account has the roles {string.Join(", ", roles)}."
                : "The account has no roles.",
        };
        var grants = caller
            .Grants.SelectMany(grant =>
                book.PermissionsOf([grant])
                    .Granting(asked.Permission)
                    .Select(text => new GrantDocument(RoleGrant.NameOf(grant), text))
            )
            .ToArray();
        because.Add(
            grants is []
                ? $"None of them allows {asked.Permission}."
                : $"{asked.Permission} is allowed by {string.Join(", ", grants.Select(grant => $"{grant.Permission} of {grant.Role}"))}."
        );
        if (caller.Kind is CredentialKind.ApiKey && grants is not [])
            because.Add(allowed ? "The API key allows it, within its own limits." : "The API key does not allow it.");
        if (asked.ResourceId is { } id && allowed)
        {
            var access = await door.ExplainAsync(caller, asked.Permission, id);
            because.Add(Describe(access));
            allowed = access is ResourceAccess.WithinReach;
        }
        return new(allowed, [.. because], grants);
    }

    static string Describe(ResourceAccess access) =>
        access switch
        {
            ResourceAccess.WithinReach => "The resource is within reach.",
            ResourceAccess.Visible => "The permission does not cover the resource's type or owner.",
            ResourceAccess.Hidden => "There is no such resource, or you cannot see it.",
            _ => throw new ArgumentOutOfRangeException(nameof(access), access, "This access has no description."),
        };

    static ExplainRequest Read(
        JsonElement body,
        Caller caller,
        PermissionCatalogue catalogue,
        TypeActions actions,
        List<Fault> faults
    )
    {
        var reader = new ObjectReader(body, faults);
        var permission = reader.Text("permission", 1, 255);
        var text = reader.Text("resourceId", 1, 36, optional: true);
        reader.RefuseOthers();
        if (permission is not null && !catalogue.Contains(permission) && !actions.IsDeclared(caller, permission))
            faults.Report(
                "/permission",
                "INVALID_PERMISSION",
                $"Unknown permission. Known permissions: {string.Join(", ", catalogue.Names)}."
            );
        Guid? resource = null;
        if (text is not null && Ids.TryParse(text, out var id))
            resource = id;
        else if (text is not null)
            faults.Report("/resourceId", "INVALID_ID", "The value must be a lower-case UUID.");
        return new(permission!, resource);
    }
}
