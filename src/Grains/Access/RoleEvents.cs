namespace Resources.Grains;

/// <summary>
/// The events of the roles. All roles share one stream, so that every decision about them sees one state. As with
/// <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record RoleEvent;

/// <param name="Generation">How often a role of this name was created; see <see cref="RoleGrant"/>.</param>
[Event("role.created", ChangesAccess = true)]
public sealed record RoleCreated(string Name, string[] Permissions, int Generation = 1) : RoleEvent;

[Event("role.changed", ChangesAccess = true)]
public sealed record RoleChanged(string Name, string[] Permissions) : RoleEvent;

[Event("role.deleted", ChangesAccess = true)]
public sealed record RoleDeleted(string Name) : RoleEvent;

/// <summary>The account counts as administrator from now on.</summary>
[Event("role.administrator_added")]
public sealed record AdministratorAdded(Guid Account) : RoleEvent;

[Event("role.administrator_removed")]
public sealed record AdministratorRemoved(Guid Account) : RoleEvent;
