using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>Bootstrap</c>: the first account.</summary>
public sealed class BootstrapOptions
{
    [Required, StringLength(254)]
    public string AdminEmail { get; set; } = "admin@localhost";

    /// <summary>As every password: long, and not easy to guess. Null = a random one, printed once.</summary>
    [StringLength(
        Passwords.MaxLength,
        MinimumLength = Passwords.MinLength,
        ErrorMessage = "takes 15 to 128 characters."
    )]
    public string? AdminPassword { get; set; }
}
