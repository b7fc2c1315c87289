using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>Tokens</c>.</summary>
public sealed class TokenOptions
{
    public const int MostMinutes = 60;

    /// <summary>How long an access token is good for, in minutes.</summary>
    [Range(1, MostMinutes)]
    public int AccessMinutes { get; set; } = 10;

    /// <summary>A signing key is followed by a new one after so many days.</summary>
    [Range(1, 3_650)]
    public int KeyDays { get; set; } = 90;

    /// <summary>The <c>iss</c> and <c>aud</c> of tokens.</summary>
    [Required]
    public string Issuer { get; set; } = "resources";
}

/// <summary>Section <c>Bootstrap</c>: the first account.</summary>
public sealed class BootstrapOptions
{
    [Required, StringLength(254)]
    public string AdminEmail { get; set; } = "admin@localhost";

    /// <summary>At least 15 characters; null = a random one, printed once.</summary>
    [StringLength(128, MinimumLength = 15, ErrorMessage = "takes 15 to 128 characters.")]
    public string? AdminPassword { get; set; }
}

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
