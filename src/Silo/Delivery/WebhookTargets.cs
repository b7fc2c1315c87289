using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Resources.Silo;

/// <summary>
/// Where webhooks may go: public addresses, by HTTPS. Checked when a target is registered and again for every
/// connection, which goes to the very address that was checked: a name that resolves differently later is no way in.
/// </summary>
public sealed class WebhookTargets(WebhookOptions options, NameLookups names)
{
    /// <summary>The code of the fault of a target that is not allowed.</summary>
    public const string Forbidden = "WEBHOOK_TARGET_FORBIDDEN";

    /// <summary>With every request: the account that has the subscription. Looking up names is its turn.</summary>
    public static readonly HttpRequestOptionsKey<string> Owner = new("owner of the subscription");

    const int MaxUrl = 2_048;

    /// <summary>The same for a name without an address: who asks must not learn which names there are inside.</summary>
    public const string NotPublic =
        "The target has no public address. An operator can allow its network with Webhooks__AllowedNetworks.";

    /// <summary>
    /// IPv4 that is not the public internet: private, shared, loopback, link-local, documentation, benchmarks, relays,
    /// multicast and reserved (IANA's registry of special purposes).
    /// </summary>
    static readonly IPNetwork[] Special4 =
    [
        .. new[]
        {
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>Of IPv6 only this is public; IPv4 in IPv6 (mapped, translated) lies outside of it.</summary>
    static readonly IPNetwork Public6 = IPNetwork.Parse("2000::/3");

    /// <summary>Within that: Teredo and other protocols, documentation, 6to4.</summary>
    static readonly IPNetwork[] Special6 =
    [
        .. new[] { "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20" }.Select(IPNetwork.Parse),
    ];

    readonly IReadOnlyList<IPNetwork> networks = options.Networks;

    /// <summary>
    /// Why a URL cannot be a target, whatever the addresses of its name are; null when <see cref="RefuseAsync"/> has to
    /// look them up.
    /// </summary>
    public string? Refuse(string url)
    {
        if (
            url.Length > MaxUrl
            || !Uri.TryCreate(url, UriKind.Absolute, out var target)
            || target.Scheme is not ("https" or "http")
            || target.Host is ""
        )
            return "The target is an absolute HTTPS URL of at most 2048 characters.";
        if (target.UserInfo is not "")
            return "The target's URL may not have a user.";
        if (target.Fragment is not "" || url.Contains('#', StringComparison.Ordinal))
            return "The target's URL may not have a fragment.";
        if (options.AllowPrivateTargets)
            return null;
        if (target.Scheme is not "https")
            return "The target has to be reached by HTTPS.";
        if (target.Port is not (443 or 8443))
            return "The target's port is 443 or 8443.";
        return LiteralOf(target.IdnHost) is { } address && !Allows(address) ? NotPublic : null;
    }

    /// <summary>Whether the addresses of a URL's name have to be looked up.</summary>
    public bool HasName(string url) => !options.AllowPrivateTargets && LiteralOf(new Uri(url).IdnHost) is null;

    /// <summary>Why a URL cannot be a target; null when it can.</summary>
    /// <param name="asker">The account that asks.</param>
    public async Task<string?> RefuseAsync(string url, string asker, CancellationToken ct)
    {
        if (Refuse(url) is { } refusal)
            return refusal;
        if (!HasName(url))
            return null;
        try
        {
            Check(await names.ForAccountAsync(asker, new Uri(url).IdnHost, ct));
            return null;
        }
        catch (WebhookTargetException e)
        {
            return e.Message;
        }
    }

    /// <summary>Whether webhooks may go to an address.</summary>
    public bool Allows(IPAddress address) =>
        options.AllowPrivateTargets
        ||
        // No target needs IPv4 in this guise, and the framework's networks of IPv6 are wrong about it.
        !address.IsIPv4MappedToIPv6 && (networks.Any(network => network.Contains(address)) || IsPublic(address));

    static bool IsPublic(IPAddress address) =>
        address.AddressFamily is AddressFamily.InterNetwork
            ? !Special4.Any(network => network.Contains(address))
            : Public6.Contains(address) && !Special6.Any(network => network.Contains(address));

    /// <summary>
    /// Connects to a target: resolves its name once, looks at every address, and connects to one of those.
    /// </summary>
    /// <exception cref="WebhookTargetException">The name has an address that is not allowed, or none.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var host = context.DnsEndPoint.Host;
        if (!context.InitialRequestMessage.Options.TryGetValue(Owner, out var owner))
            throw new UnreachableException("A webhook belongs to nobody.");
        var addresses = Check(LiteralOf(host) is { } literal ? [literal] : await names.ForTargetAsync(owner, host, ct));
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    static IPAddress? LiteralOf(string host) =>
        IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? literal : null;

    /// <summary>All addresses of a host; one that is forbidden forbids them all.</summary>
    IPAddress[] Check(IPAddress[] addresses) =>
        addresses is not [] && addresses.All(Allows) ? addresses : throw new WebhookTargetException(NotPublic);
}

/// <summary>Webhooks may not go there; the message says why and nothing of what was found.</summary>
sealed class WebhookTargetException(string message) : Exception(message);
