using System.Diagnostics;

namespace Resources.Grains;

/// <summary>
/// The custom roles and the counted administrators: a pure function of their events. An account is counted after it has
/// got the administrator role, and no longer counted before it loses it. So the count never exceeds the real number.
/// </summary>
/// <param name="Roles">Permissions by role, without the built-in roles.</param>
[GenerateSerializer, Immutable, Alias("role-book")]
public sealed record RoleBook(Dictionary<string, string[]> Roles, Guid[] Administrators)
{
    /// <summary>The stream of the roles, and the key of their grain.</summary>
    public static readonly Guid Id = DerivedId.Of("roles");

    /// <summary>The upper bound of custom roles, as every node keeps all of them in memory.</summary>
    public const int MaxRoles = 1_000;

    /// <summary>The built-in role with all permissions.</summary>
    public const string Administrator = "admin";

    public static readonly RoleBook Empty = new([], []);

    public static RoleBook Evolve(RoleBook? state, Recorded<RoleEvent> recorded)
    {
        var book = state ?? Empty;
        return recorded.Data switch
        {
            RoleCreated e => book with { Roles = new(book.Roles) { [e.Name] = e.Permissions } },
            RoleChanged e => book with { Roles = new(book.Roles) { [e.Name] = e.Permissions } },
            RoleDeleted e => book with { Roles = book.Roles.Where(role => role.Key != e.Name).ToDictionary() },
            AdministratorAdded e => book with { Administrators = [.. book.Administrators, e.Account] },
            AdministratorRemoved e => book with
            {
                Administrators = [.. book.Administrators.Where(account => account != e.Account)],
            },
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };
    }

    public static Decision<RoleEvent> Decide(RoleBook? state, RoleCommand command, DecisionContext context)
    {
        var book = state ?? Empty;
        return command switch
        {
            CreateRole c when book.Roles.ContainsKey(c.Name) => new Rejection(
                Refusal.AlreadyExists,
                "There is a role of this name."
            ),
            CreateRole when book.Roles.Count >= MaxRoles => new Rejection(
                Refusal.AlreadyExists,
                $"There may be at most {MaxRoles} roles."
            ),
            CreateRole c => [new RoleCreated(c.Name, c.Permissions)],
            ChangeRole c when !book.Roles.TryGetValue(c.Name, out _) => NoRole,
            ChangeRole c => book.Roles[c.Name].SequenceEqual(c.Permissions)
                ? []
                : [new RoleChanged(c.Name, c.Permissions)],
            DeleteRole c => book.Roles.ContainsKey(c.Name) ? [new RoleDeleted(c.Name)] : NoRole,
            AddAdministrator c => book.Administrators.Contains(c.Account) ? [] : [new AdministratorAdded(c.Account)],
            // Also refuses when this account was never counted, for example because its node died first.
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

    static readonly Rejection NoRole = new(Refusal.RoleNotFound, "There is no such role, or it is built in.");
}
