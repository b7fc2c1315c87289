using System.Text.Json;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>A role.</summary>
/// <param name="BuiltIn">It cannot be changed or deleted.</param>
public sealed record RoleDocument(string Name, string[] Permissions, bool BuiltIn);

/// <summary>What creating a role takes.</summary>
public sealed record RoleRequest(string Name, string[] Permissions);

/// <summary>The new permissions of a role.</summary>
public sealed record RoleChangeRequest(string[] Permissions);

/// <summary>Roles. Every node applies a change within a second.</summary>
public static class RoleEndpoints
{
    public static void MapRoles(this RouteGroupBuilder api)
    {
        var roles = api.MapGroup("/roles")
            .WithTags("roles")
            .TakesPath(Parameter.Slug("role", "The name of the role.", "mechanic"));
        roles
            .MapRead("", ListAsync)
            .Require(Permissions.RoleRead)
            .WithName("listRoles")
            .WithSummary("List roles")
            .WithDescription("Sorted by name.")
            .Answers<Envelope<IReadOnlyList<RoleDocument>>>(200);
        roles
            .MapPost("", CreateAsync)
            .Require(Permissions.RoleManage)
            .LimitCreation(CreationLimit.Roles)
            .WithName("createRole")
            .Audits("role.created")
            .WithSummary("Create a role")
            .WithDescription("You can grant only permissions that you have.")
            .TakesBody<RoleRequest>(
                """{"name":"mechanic","permissions":["resource/bicycle:read","resource/bicycle:update","resource:create"]}"""
            )
            .Answers<Envelope<RoleDocument>>(201)
            .Refuses(409, 413, 415);
        roles
            .MapPut("/{role}", ChangeAsync)
            .Require(Permissions.RoleManage)
            .WithName("changeRole")
            .Audits("role.changed")
            .WithSummary("Replace a role's permissions")
            .WithDescription("You can grant only permissions that you have.")
            .TakesBody<RoleChangeRequest>("""{"permissions":["resource/bicycle:read","resource/bicycle:update:own"]}""")
            .Answers<Envelope<RoleDocument>>(200)
            .Refuses(404, 413, 415);
        roles
            .MapDelete("/{role}", DeleteAsync)
            .Require(Permissions.RoleManage)
            .WithName("deleteRole")
            .Audits("role.deleted")
            .WithSummary("Delete a role")
            .WithDescription(
                "Accounts that have the role lose its permissions. A role that is later created with this name is another role."
            )
            .Produces(204)
            .Refuses(404);
    }

    static async Task<Answer> ListAsync(RoleRights rights)
    {
        var roles = (await rights.BookAsync()).All();
        return Answer.Of<IReadOnlyList<RoleDocument>>([
            .. roles.OrderBy(role => role.Key, StringComparer.Ordinal).Select(role => Document(role.Key, role.Value)),
        ]);
    }

    static Task<Answer> CreateAsync(
        HttpContext context,
        IClusterClient cluster,
        PermissionCatalogue catalogue,
        TypeActions actions
    ) =>
        RequestBody.TakeAsync(
            context,
            (body, faults) => ReadRole(body, catalogue, faults),
            async asked =>
                Permissions.BuiltIn.ContainsKey(asked.Name)
                    ? Answer.Refused(ProblemType.AlreadyExists, "A built-in role has this name.")
                    : await WriteAsync(
                        context,
                        cluster,
                        actions,
                        asked.Name,
                        asked.Permissions,
                        permissions => new CreateRole(asked.Name, permissions),
                        StatusCodes.Status201Created
                    )
        );

    static Task<Answer> ChangeAsync(
        HttpContext context,
        string role,
        IClusterClient cluster,
        RoleRights rights,
        PermissionCatalogue catalogue,
        TypeActions actions
    ) =>
        RequestBody.TakeAsync(
            context,
            (body, faults) => ReadPermissions(body, catalogue, faults),
            async asked =>
                await CheckAsync(context, role, rights)
                ?? await WriteAsync(
                    context,
                    cluster,
                    actions,
                    role,
                    asked.Permissions,
                    permissions => new ChangeRole(role, permissions),
                    StatusCodes.Status200OK
                )
        );

    static async Task<Answer> DeleteAsync(HttpContext context, string role, IClusterClient cluster, RoleRights rights)
    {
        if (await CheckAsync(context, role, rights) is { } refused)
            return refused;
        var reply = await ExecuteAsync(context, cluster, new DeleteRole(role));
        return reply.Rejection is { } rejection ? rejection : Answer.Empty();
    }

    /// <summary>Why the caller cannot take a role's permissions away; null when they can.</summary>
    static async Task<Answer?> CheckAsync(HttpContext context, string role, RoleRights rights) =>
        (await rights.BookAsync()).All().TryGetValue(role, out var before)
            ? RoleRights.Check(context.Caller(), before, "The role has permissions that you do not have.")
            : null;

    static async Task<Answer> WriteAsync(
        HttpContext context,
        IClusterClient cluster,
        TypeActions actions,
        string name,
        string[] texts,
        Func<string[], RoleCommand> command,
        int status
    )
    {
        var permissions = PermissionSet.Of(texts);
        if (
            RoleRights.Check(context.Caller(), permissions, "The role would have permissions that you do not have.") is
            { } refused
        )
            return refused;
        // Afterwards: what types declare is nobody's business who has no rights to them.
        if (await actions.FaultsOfAsync(texts) is not [] and var faults)
            return Answer.Invalid(faults);
        var reply = await ExecuteAsync(context, cluster, command(permissions.ToTexts()));
        return reply.Rejection is { } rejection
            ? rejection
            : new Answer<RoleDocument>(Document(name, permissions)) { Status = status };
    }

    static Task<Reply<RoleBook>> ExecuteAsync(HttpContext context, IClusterClient cluster, RoleCommand command) =>
        ClusterCalls.SendAsync(context.Intend(), intent =>
            cluster.GetGrain<IRoleGrain>(RoleBook.Id).Execute(command, intent)
        );

    static RoleDocument Document(string name, PermissionSet permissions) =>
        new(name, permissions.ToTexts(), Permissions.BuiltIn.ContainsKey(name));

    static RoleRequest ReadRole(JsonElement body, PermissionCatalogue catalogue, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new RoleRequest(reader.Slug("name")!, ReadPermissions(reader, catalogue, faults));
        reader.RefuseOthers();
        return asked;
    }

    static RoleChangeRequest ReadPermissions(JsonElement body, PermissionCatalogue catalogue, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var permissions = ReadPermissions(reader, catalogue, faults);
        reader.RefuseOthers();
        return new(permissions);
    }

    /// <summary>Reads the member <c>permissions</c>; each must have a known form.</summary>
    internal static string[] ReadPermissions(ObjectReader reader, PermissionCatalogue catalogue, List<Fault> faults)
    {
        var texts = reader.Strings("permissions")?.ToArray() ?? [];
        for (var i = 0; i < texts.Length; i++)
            if (catalogue.FaultOf(texts[i]) is { } fault)
                faults.Report($"/permissions/{i}", "INVALID_PERMISSION", fault);
        return texts;
    }
}
