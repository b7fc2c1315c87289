using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>Mail</c>.</summary>
public sealed class MailOptions : IValidatableObject
{
    /// <summary>
    /// The SMTP server. Without one, nothing is sent; in Development, mails become files in the data directory.
    /// </summary>
    public string? Host { get; set; }

    [Range(1, 65_535)]
    public int Port { get; set; } = 587;

    public string? User { get; set; }

    public string? Password { get; set; }

    /// <summary>The sender's address.</summary>
    [Required]
    public string From { get; set; } = "resources@localhost";

    /// <summary>
    /// The base URL of mailed links: an application's page that reads the token and calls this API. Never taken from a
    /// request.
    /// </summary>
    [Required]
    public string LinkBase { get; set; } = "http://localhost:8080";

    public IEnumerable<ValidationResult> Validate(ValidationContext context)
    {
        if (
            !Uri.TryCreate(LinkBase, UriKind.Absolute, out var link)
            || link.Scheme != Uri.UriSchemeHttps && !link.IsLoopback
        )
            yield return new("is not an https address.", [nameof(LinkBase)]);
        if (!MimeKit.MailboxAddress.TryParse(From, out _))
            yield return new("is not an e-mail address.", [nameof(From)]);
    }
}
