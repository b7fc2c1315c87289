using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;

namespace Resources.Silo;

/// <summary>Section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>Whether targets may be anywhere, over plain HTTP too. For development and tests.</summary>
    public bool AllowPrivateTargets { get; set; }

    /// <summary>
    /// Networks in CIDR notation, joined by commas, whose addresses targets may have although they are not public.
    /// </summary>
    [CustomValidation(typeof(WebhookOptions), nameof(AreNetworks))]
    public string AllowedNetworks { get; set; } = "";

    /// <summary>An attempt that takes longer has failed, in seconds.</summary>
    [Range(1, 60)]
    public int TimeoutSeconds { get; set; } = 20;

    /// <summary>Deliveries of one subscription that are under way at a time.</summary>
    [Range(1, 256)]
    public int MaxConcurrent { get; set; } = 16;

    /// <summary>Seconds from a failed attempt to the next one, joined by commas: as many retries as numbers.</summary>
    [
        Required,
        RegularExpression(
            @"[0-9]{1,6}(\.[0-9]{1,3})?(,[0-9]{1,6}(\.[0-9]{1,3})?)*",
            ErrorMessage = "takes seconds below 1,000,000, joined by commas."
        )
    ]
    public string RetrySeconds { get; set; } = "5,300,1800,7200,18000,36000,50400,72000,86400";

    /// <summary>For so many hours after a rotation requests carry a signature with the old secret too.</summary>
    [Range(0, 24)]
    public int RotationHours { get; set; } = 24;

    /// <summary><see cref="RetrySeconds"/>, read.</summary>
    public IReadOnlyList<TimeSpan> Retries =>
        [
            .. RetrySeconds
                .Split(',')
                .Select(part => TimeSpan.FromSeconds(double.Parse(part, CultureInfo.InvariantCulture))),
        ];

    /// <summary><see cref="AllowedNetworks"/>, read.</summary>
    public IReadOnlyList<IPNetwork> Networks => [.. Parts(AllowedNetworks).Select(IPNetwork.Parse)];

    /// <summary>Validates <see cref="AllowedNetworks"/>.</summary>
    public static ValidationResult? AreNetworks(string networks, ValidationContext context) =>
        Parts(networks).All(part => IPNetwork.TryParse(part, out _))
            ? ValidationResult.Success
            : new("takes networks such as 10.1.0.0/16, joined by commas.", [nameof(AllowedNetworks)]);

    static string[] Parts(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
