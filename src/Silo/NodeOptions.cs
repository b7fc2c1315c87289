using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;

namespace Resources.Silo;

/// <summary>What a process does in the cluster.</summary>
public enum NodeRole
{
    /// <summary>Everything: HTTP, grains and projections.</summary>
    Node,

    /// <summary>Grains and projections, no HTTP.</summary>
    Silo,

    /// <summary>HTTP only; grains live in other processes.</summary>
    Client,
}

/// <summary>Section <c>Cluster</c>.</summary>
public sealed class ClusterOptions : IValidatableObject
{
    /// <summary>Nodes with the same id and database form one cluster.</summary>
    [Required, RegularExpression("[A-Za-z0-9_.-]{1,64}")]
    public string ClusterId { get; set; } = "resources";

    /// <summary>Port for other nodes; 0 = 11111, or any free one if that is taken.</summary>
    [Range(0, 65535)]
    public int SiloPort { get; set; }

    /// <summary>Port for processes of role client; 0 = 30000, or any free one if that is taken.</summary>
    [Range(0, 65535)]
    public int GatewayPort { get; set; }

    /// <summary>
    /// Address at which other nodes reach this one; null = the one by which this machine reaches the database.
    /// </summary>
    public string? AdvertisedAddress { get; set; }

    public NodeRole Role { get; set; } = NodeRole.Node;

    /// <summary>Mutual TLS between the processes of the cluster.</summary>
    public ClusterTlsOptions Tls { get; set; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext context)
    {
        if (AdvertisedAddress is not null && !IPAddress.TryParse(AdvertisedAddress, out _))
            yield return new("is not an IP address.", [nameof(AdvertisedAddress)]);
    }

    /// <summary>Checks that the node could listen for others where it is configured to.</summary>
    /// <exception cref="ConfigurationException">A port is in use, or the address is not one of this machine.</exception>
    public void EnsureFree()
    {
        if (Role is NodeRole.Client)
            return;
        if (AdvertisedAddress is not null)
            try
            {
                var address = IPAddress.Parse(AdvertisedAddress);
                using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
                socket.Bind(new IPEndPoint(address, 0));
            }
            catch (SocketException)
            {
                throw new ConfigurationException(
                    $"Cluster__AdvertisedAddress: {AdvertisedAddress} is not an address of this machine."
                );
            }
        NodePorts.Take(this).Dispose();
    }
}

/// <summary>Section <c>Schema</c>.</summary>
public sealed class SchemaOptions
{
    /// <summary>
    /// Whether a start brings the database up to date; if not, a node with missing scripts refuses to start.
    /// </summary>
    public bool ApplyOnStart { get; set; } = true;
}

/// <summary>Section <c>Database</c>.</summary>
public sealed class DatabaseOptions
{
    /// <summary>
    /// Connections that one node may hold for what clients read. Beside them it holds up to 25 for writes, for its
    /// membership in the cluster and for work in the background, those of searches, and three sessions of its own.
    /// </summary>
    [Range(10, 1000)]
    public int MaxPoolSize { get; set; } = 50;

    /// <summary>
    /// Connections that one node may hold for filters and full-text searches. Those that wait are served in turn,
    /// sooner than if all of them shared the processors.
    /// </summary>
    [Range(1, 1000)]
    public int MaxSearchPoolSize { get; set; } = Math.Max(4, 2 * Environment.ProcessorCount);
}

/// <summary>Section <c>Secrets</c>.</summary>
public sealed class SecretsOptions : IValidatableObject
{
    /// <summary>
    /// Base64 of 32 bytes; encrypts keys and secrets at rest. Needed outside Development; there a file in the data
    /// directory stands in.
    /// </summary>
    public string? MasterKey { get; set; }

    /// <summary>
    /// While the master key is changed: the one to come, then the one before. It opens what it has encrypted, and
    /// encrypts nothing.
    /// </summary>
    public string? SecondMasterKey { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext context)
    {
        foreach (
            var (name, key) in new[] { (nameof(MasterKey), MasterKey), (nameof(SecondMasterKey), SecondMasterKey) }
        )
            if (key is not null && !IsKey(key))
                yield return new("is not the base64 form of 32 bytes. 'openssl rand -base64 32' makes one.", [name]);
    }

    static bool IsKey(string text) =>
        Convert.TryFromBase64String(text, new byte[text.Length], out var bytes) && bytes is Silo.MasterKey.Size;
}
