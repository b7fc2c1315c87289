namespace Resources.Api;

/// <summary>Who may make an account.</summary>
public enum Registration
{
    /// <summary>Administrators, with a first password.</summary>
    Closed,

    /// <summary>Administrators, also by an invitation that the owner gets as a mail.</summary>
    Invite,

    /// <summary>Everybody who reads the mail to the address.</summary>
    Open,
}

/// <summary>Section <c>Accounts</c>.</summary>
public sealed class AccountOptions
{
    public Registration Registration { get; set; } = Registration.Closed;

    /// <summary>The roles of accounts that register by themselves; none given = <c>user</c>.</summary>
    public string[] DefaultRoles { get; set; } = [];

    /// <summary>The roles of an account that somebody makes for themselves.</summary>
    public string[] FirstRoles => DefaultRoles is [] ? ["user"] : DefaultRoles;
}
