namespace Resources.Grains;

/// <summary>
/// Everything that can happen to the roles, which are one stream: who may do what is decided on one state. As in
/// <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record RoleEvent;

[Event("role.created", ChangesAccess = true)]
public sealed record RoleCreated(string Name, string[] Permissions) : RoleEvent;

[Event("role.changed", ChangesAccess = true)]
public sealed record RoleChanged(string Name, string[] Permissions) : RoleEvent;

[Event("role.deleted", ChangesAccess = true)]
public sealed record RoleDeleted(string Name) : RoleEvent;

/// <summary>An account counts as administrator from now on.</summary>
[Event("role.administrator_added")]
public sealed record AdministratorAdded(Guid Account) : RoleEvent;

[Event("role.administrator_removed")]
public sealed record AdministratorRemoved(Guid Account) : RoleEvent;
