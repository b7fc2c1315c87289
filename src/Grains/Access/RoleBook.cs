using System.Diagnostics;

namespace Resources.Grains;

/// <summary>
/// The custom roles and the counted administrators: a pure function of their events. An account is counted after it has
/// got the administrator role, and no longer counted before it loses it. So the count never exceeds the real number.
/// </summary>
/// <param name="Roles">Permissions by role, without the built-in roles.</param>
/// <param name="Generations">
/// How often roles were created, by name, also of those that are deleted; null in an answer of an earlier release.
/// </param>
[GenerateSerializer, Immutable, Alias("role-book")]
public sealed record RoleBook(
    Dictionary<string, string[]> Roles,
    Guid[] Administrators,
    Dictionary<string, int>? Generations
)
{
    /// <summary>The stream of the roles, and the key of their grain.</summary>
    public static readonly Guid Id = DerivedId.Of("roles");

    /// <summary>The upper bound of custom roles, as every node keeps all of them in memory.</summary>
    public const int MaxRoles = 1_000;

    /// <summary>The built-in role with all permissions.</summary>
    public const string Administrator = "admin";

    public static readonly RoleBook Empty = new([], [], []);

    /// <summary>Every role with its permissions. A built-in role wins over a custom one that had its name before.</summary>
    public Dictionary<string, PermissionSet> All() =>
        Permissions
            .BuiltIn.Concat(
                Roles
                    .Where(role => !Permissions.BuiltIn.ContainsKey(role.Key))
                    .Select(role => KeyValuePair.Create(role.Key, PermissionSet.Of(role.Value)))
            )
            .ToDictionary();

    /// <summary>What an account is given by a role of this name, as <see cref="RoleGrant"/> says.</summary>
    public string GrantOf(string name) =>
        Permissions.BuiltIn.ContainsKey(name) ? name : RoleGrant.Of(name, Generations?.GetValueOrDefault(name) ?? 1);

    /// <summary>The names of the roles that are held by some grants, without those that exist no more.</summary>
    public string[] NamesOf(IEnumerable<string> grants) =>
        [
            .. from grant in grants
            let name = RoleGrant.NameOf(grant)
            where (Permissions.BuiltIn.ContainsKey(name) || Roles.ContainsKey(name)) && GrantOf(name) == grant
            select name,
        ];

    public static RoleBook Evolve(RoleBook? state, Recorded<RoleEvent> recorded)
    {
        var book = state ?? Empty;
        return recorded.Data switch
        {
            RoleCreated e => book with
            {
                Roles = new(book.Roles) { [e.Name] = e.Permissions },
                Generations = new(book.Generations ?? []) { [e.Name] = e.Generation },
            },
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
            CreateRole c =>
            [
                new RoleCreated(c.Name, c.Permissions, (book.Generations?.GetValueOrDefault(c.Name) ?? 0) + 1),
            ],
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
