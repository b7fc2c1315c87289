using System.Text.Json;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A role.</summary>
/// <param name="BuiltIn">It cannot be changed or deleted.</param>
public sealed record RoleDocument(string Name, string[] Permissions, bool BuiltIn);

/// <summary>A role to be made.</summary>
public sealed record RoleRequest(string Name, string[] Permissions);

/// <summary>The permissions that a role is to have.</summary>
public sealed record RoleChangeRequest(string[] Permissions);

/// <summary>Roles: what they allow counts at every node within a second.</summary>
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
            .WithName("createRole")
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
            .WithSummary("Replace a role's permissions")
            .WithDescription("You can grant only permissions that you have.")
            .TakesBody<RoleChangeRequest>("""{"permissions":["resource/bicycle:read","resource/bicycle:update:own"]}""")
            .Answers<Envelope<RoleDocument>>(200)
            .Refuses(404, 413, 415);
        roles
            .MapDelete("/{role}", DeleteAsync)
            .Require(Permissions.RoleManage)
            .WithName("deleteRole")
            .WithSummary("Delete a role")
            .WithDescription("Accounts that have the role lose its permissions.")
            .Produces(204)
            .Refuses(404);
    }

    static async Task ListAsync(HttpContext context, RoleRights rights)
    {
        var roles = await rights.RolesAsync();
        await Responses.OkAsync<IReadOnlyList<RoleDocument>>(
            context,
            [.. roles.OrderBy(role => role.Key, StringComparer.Ordinal).Select(role => Document(role.Key, role.Value))],
            AccessJson.Default.EnvelopeIReadOnlyListRoleDocument
        );
    }

    static Task CreateAsync(HttpContext context, IClusterClient cluster) =>
        RequestBody.TakeAsync(context, ReadRole, async asked =>
        {
            if (Permissions.BuiltIn.ContainsKey(asked.Name))
                await Problems.WriteAsync(context, ProblemType.AlreadyExists, "There is a built-in role of this name.");
            else
                await ExecuteAsync(
                    context,
                    cluster,
                    asked.Name,
                    asked.Permissions,
                    permissions => new CreateRole(asked.Name, permissions),
                    201
                );
        });

    static Task ChangeAsync(HttpContext context, string role, IClusterClient cluster, RoleRights rights) =>
        RequestBody.TakeAsync(context, ReadPermissions, async asked =>
        {
            // What is taken from a role must be the caller's to give, too.
            if (
                (await rights.RolesAsync()).TryGetValue(role, out var before)
                && await RoleRights.RefuseAsync(context, before, "The role allows what the caller may not do.")
            )
                return;
            await ExecuteAsync(
                context,
                cluster,
                role,
                asked.Permissions,
                permissions => new ChangeRole(role, permissions),
                200
            );
        });

    static async Task DeleteAsync(HttpContext context, string role, IClusterClient cluster, RoleRights rights)
    {
        if (
            (await rights.RolesAsync()).TryGetValue(role, out var before)
            && await RoleRights.RefuseAsync(context, before, "The role allows what the caller may not do.")
        )
            return;
        var intent = context.Intend();
        var reply = await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<IRoleGrain>(RoleBook.Id).Execute(new DeleteRole(role), sent)
        );
        if (reply.Rejection is { } rejection)
            await Problems.RefuseAsync(context, rejection);
        else
            context.Response.StatusCode = 204;
    }

    static async Task ExecuteAsync(
        HttpContext context,
        IClusterClient cluster,
        string name,
        string[] texts,
        Func<string[], RoleCommand> command,
        int status
    )
    {
        var permissions = PermissionSet.Of(texts);
        if (await RoleRights.RefuseAsync(context, permissions, "The role would allow what the caller may not do."))
            return;
        var intent = context.Intend();
        var reply = await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<IRoleGrain>(RoleBook.Id).Execute(command(permissions.ToTexts()), sent)
        );
        if (reply.Rejection is { } rejection)
            await Problems.RefuseAsync(context, rejection);
        else
            await Responses.OkAsync(
                context,
                Document(name, permissions),
                AccessJson.Default.EnvelopeRoleDocument,
                status: status
            );
    }

    static RoleDocument Document(string name, PermissionSet permissions) =>
        new(name, permissions.ToTexts(), Permissions.BuiltIn.ContainsKey(name));

    static RoleRequest ReadRole(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var asked = new RoleRequest(reader.Slug("name")!, ReadPermissions(reader, faults));
        reader.RefuseOthers();
        return asked;
    }

    static RoleChangeRequest ReadPermissions(JsonElement body, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var permissions = ReadPermissions(reader, faults);
        reader.RefuseOthers();
        return new(permissions);
    }

    /// <summary>The member <c>permissions</c>, each of a known form.</summary>
    internal static string[] ReadPermissions(ObjectReader reader, List<Fault> faults)
    {
        var texts = reader.Strings("permissions")?.ToArray() ?? [];
        for (var i = 0; i < texts.Length; i++)
            if (Permissions.FaultOf(texts[i]) is { } fault)
                faults.Report($"/permissions/{i}", "INVALID_PERMISSION", fault);
        return texts;
    }
}
