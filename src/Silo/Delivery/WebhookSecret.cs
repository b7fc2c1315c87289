using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Resources.Silo;

/// <summary>Where a webhook's events go, and what they are signed with.</summary>
/// <param name="PreviousSecret">Signs too until <paramref name="PreviousUntil"/>.</param>
sealed record WebhookTarget(Guid Owner, Uri Url, byte[] Secret, byte[]? PreviousSecret, DateTimeOffset? PreviousUntil)
{
    /// <summary>
    /// The value of <c>webhook-signature</c>, as Standard Webhooks has it: one signature, or two after a rotation.
    /// </summary>
    public string Sign(string id, DateTimeOffset at, ReadOnlySpan<byte> body)
    {
        byte[] signed =
        [
            .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{at.ToUnixTimeSeconds()}.")),
            .. body,
        ];
        var now = Signature(Secret, signed);
        return PreviousSecret is not null && at < PreviousUntil ? $"{now} {Signature(PreviousSecret, signed)}" : now;
    }

    static string Signature(byte[] secret, byte[] signed) =>
        "v1," + Convert.ToBase64String(HMACSHA256.HashData(secret, signed));
}

/// <summary>Secrets of webhooks: random, shown once, stored encrypted.</summary>
static class WebhookSecret
{
    /// <summary>A new one.</summary>
    public static byte[] Create() => RandomNumberGenerator.GetBytes(32);

    /// <summary>As it is shown to its owner.</summary>
    public static string Show(byte[] secret) => "whsec_" + Convert.ToBase64String(secret);
}
