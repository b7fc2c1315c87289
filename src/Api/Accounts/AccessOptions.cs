using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>Secrets</c>.</summary>
public sealed class SecretsOptions : IValidatableObject
{
    /// <summary>Base64 of 32 bytes; encrypts keys and secrets at rest. Needed outside Development; there a file in the data directory stands in.</summary>
    public string? MasterKey { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext context)
    {
        if (MasterKey is not null && !(Convert.TryFromBase64String(MasterKey, new byte[MasterKey.Length], out var bytes) && bytes is 32))
            yield return new("is not the base64 form of 32 bytes. 'openssl rand -base64 32' makes one.", [nameof(MasterKey)]);
    }
}

/// <summary>Section <c>Tokens</c>.</summary>
public sealed class TokenOptions
{
    /// <summary>How long an access token is good for, in minutes.</summary>
    [Range(1, 1440)]
    public int AccessMinutes { get; set; } = 60;

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
