using Resources.Grains;

namespace Resources.Api;

/// <summary>Who may create accounts.</summary>
public enum Registration
{
    /// <summary>Administrators, with an initial password.</summary>
    Closed,

    /// <summary>Administrators, with an initial password or by mailed invitation.</summary>
    Invite,

    /// <summary>Anyone who can read mail to the address.</summary>
    Open,
}

/// <summary>Section <c>Accounts</c>.</summary>
public sealed class AccountOptions
{
    public Registration Registration { get; set; } = Registration.Closed;

    /// <summary>The roles of self-registered accounts; <c>user</c> if empty.</summary>
    public string[] DefaultRoles { get; set; } = [];

    /// <summary>The effective roles of self-registered accounts.</summary>
    public string[] FirstRoles => DefaultRoles is [] ? ["user"] : DefaultRoles;

    /// <summary>Whether anybody may have an account whose built-in role reads every resource.</summary>
    public bool OpensResources =>
        Registration is Registration.Open
        && FirstRoles.Any(role =>
            Permissions.BuiltIn.GetValueOrDefault(role)?.Allows(Permissions.ResourceRead) is true
        );
}
