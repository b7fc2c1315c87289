namespace Resources.Grains;

/// <summary>A command of the roles.</summary>
[GenerateSerializer, Immutable, Alias("role-command")]
public abstract record RoleCommand;

[GenerateSerializer, Immutable, Alias("role-create")]
public sealed record CreateRole(string Name, string[] Permissions) : RoleCommand;

[GenerateSerializer, Immutable, Alias("role-change")]
public sealed record ChangeRole(string Name, string[] Permissions) : RoleCommand;

[GenerateSerializer, Immutable, Alias("role-delete")]
public sealed record DeleteRole(string Name) : RoleCommand;

/// <summary>Counts an account as administrator.</summary>
[GenerateSerializer, Immutable, Alias("administrator-add")]
public sealed record AddAdministrator(Guid Account) : RoleCommand;

/// <summary>Stops counting an account as administrator.</summary>
[GenerateSerializer, Immutable, Alias("administrator-remove")]
public sealed record RemoveAdministrator(Guid Account) : RoleCommand;
