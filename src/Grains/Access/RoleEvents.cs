namespace Resources.Grains;

/// <summary>
/// The events of the roles. All roles share one stream, so that every decision about them sees one state. As with
/// <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record RoleEvent;

public sealed record RoleCreated(string Name, string[] Permissions) : RoleEvent;

public sealed record RoleChanged(string Name, string[] Permissions) : RoleEvent;

public sealed record RoleDeleted(string Name) : RoleEvent;

/// <summary>The account counts as administrator from now on.</summary>
public sealed record AdministratorAdded(Guid Account) : RoleEvent;

public sealed record AdministratorRemoved(Guid Account) : RoleEvent;
