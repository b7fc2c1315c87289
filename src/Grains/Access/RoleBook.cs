using System.Diagnostics;

namespace Resources.Grains;

/// <summary>
/// The roles that were made, and who counts as administrator: a pure function of their events. An account counts before
/// it loses the role and after it has got it, so there are at least as many administrators as are counted.
/// </summary>
/// <param name="Roles">Permissions by role; built-in roles are not among them.</param>
[GenerateSerializer, Immutable, Alias("role-book")]
public sealed record RoleBook(Dictionary<string, string[]> Roles, Guid[] Administrators)
{
    /// <summary>The stream of the roles, and the key of their grain.</summary>
    public static readonly Guid Id = DerivedId.Of("roles");

    /// <summary>More roles than this would be read by every node for nothing.</summary>
    public const int MostRoles = 1_000;

    /// <summary>The built-in role that may do everything.</summary>
    public const string Administrator = "admin";

    public static readonly RoleBook Empty = new([], []);

    public static Decision<RoleEvent> Decide(RoleBook? state, RoleCommand command)
    {
        var book = state ?? Empty;
        return command switch
        {
            CreateRole c when book.Roles.ContainsKey(c.Name) => new Rejection(
                Refusal.AlreadyExists,
                "There is a role of this name."
            ),
            CreateRole when book.Roles.Count >= MostRoles => new Rejection(
                Refusal.AlreadyExists,
                $"There may be at most {MostRoles} roles."
            ),
            CreateRole c => [new RoleCreated(c.Name, c.Permissions)],
            ChangeRole c when !book.Roles.TryGetValue(c.Name, out _) => NoRole,
            ChangeRole c => book.Roles[c.Name].SequenceEqual(c.Permissions)
                ? []
                : [new RoleChanged(c.Name, c.Permissions)],
            DeleteRole c => book.Roles.ContainsKey(c.Name) ? [new RoleDeleted(c.Name)] : NoRole,
            AddAdministrator c => book.Administrators.Contains(c.Account) ? [] : [new AdministratorAdded(c.Account)],
            // Also one that is not counted, as when its node was lost before it was: whom nobody else would be left
            // after stays.
            RemoveAdministrator c when book.Administrators.All(account => account == c.Account) => new Rejection(
                Refusal.LastAdministrator,
                "This is the last administrator; make another one first."
            ),
            RemoveAdministrator c => book.Administrators.Contains(c.Account)
                ? [new AdministratorRemoved(c.Account)]
                : [],
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };
    }

    public static RoleBook Evolve(RoleBook? state, RoleEvent happened)
    {
        var book = state ?? Empty;
        return happened switch
        {
            RoleCreated e => book with { Roles = new(book.Roles) { [e.Name] = e.Permissions } },
            RoleChanged e => book with { Roles = new(book.Roles) { [e.Name] = e.Permissions } },
            RoleDeleted e => book with { Roles = book.Roles.Where(role => role.Key != e.Name).ToDictionary() },
            AdministratorAdded e => book with { Administrators = [.. book.Administrators, e.Account] },
            AdministratorRemoved e => book with
            {
                Administrators = [.. book.Administrators.Where(account => account != e.Account)],
            },
            _ => throw new UnreachableException($"No arm for {happened.GetType().Name}."),
        };
    }

    static readonly Rejection NoRole = new(Refusal.RoleNotFound, "There is no such role, or it is built in.");
}

/// <summary>What can be asked of the roles.</summary>
[GenerateSerializer, Immutable, Alias("role-command")]
public abstract record RoleCommand;

[GenerateSerializer, Immutable, Alias("role-create")]
public sealed record CreateRole(string Name, string[] Permissions) : RoleCommand;

[GenerateSerializer, Immutable, Alias("role-change")]
public sealed record ChangeRole(string Name, string[] Permissions) : RoleCommand;

[GenerateSerializer, Immutable, Alias("role-delete")]
public sealed record DeleteRole(string Name) : RoleCommand;

[GenerateSerializer, Immutable, Alias("administrator-add")]
public sealed record AddAdministrator(Guid Account) : RoleCommand;

[GenerateSerializer, Immutable, Alias("administrator-remove")]
public sealed record RemoveAdministrator(Guid Account) : RoleCommand;
