using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>Tokens</c>.</summary>
public sealed class TokenOptions
{
    public const int MaxMinutes = 60;

    /// <summary>How long an access token is good for, in minutes.</summary>
    [Range(1, MaxMinutes)]
    public int AccessMinutes { get; set; } = 10;

    /// <summary>A signing key is followed by a new one after so many days.</summary>
    [Range(1, 3_650)]
    public int KeyDays { get; set; } = 90;

    /// <summary>The <c>iss</c> and <c>aud</c> of tokens.</summary>
    [Required]
    public string Issuer { get; set; } = "resources";
}
