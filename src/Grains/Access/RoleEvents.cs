namespace Resources.Grains;

/// <summary>
/// Everything that can happen to the roles, which are one stream: who may do what is decided on one state. As in
/// <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record RoleEvent;

public sealed record RoleCreated(string Name, string[] Permissions) : RoleEvent;

public sealed record RoleChanged(string Name, string[] Permissions) : RoleEvent;

public sealed record RoleDeleted(string Name) : RoleEvent;

/// <summary>An account counts as administrator from now on.</summary>
public sealed record AdministratorAdded(Guid Account) : RoleEvent;

public sealed record AdministratorRemoved(Guid Account) : RoleEvent;
