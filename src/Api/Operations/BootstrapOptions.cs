using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>Bootstrap</c>: the first account.</summary>
public sealed class BootstrapOptions
{
    [Required, StringLength(254)]
    public string AdminEmail { get; set; } = "admin@localhost";

    /// <summary>At least 15 characters; null = a random one, printed once.</summary>
    [StringLength(128, MinimumLength = 15, ErrorMessage = "takes 15 to 128 characters.")]
    public string? AdminPassword { get; set; }
}
