using System.ComponentModel.DataAnnotations;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Orleans.Connections.Security;

namespace Resources.Silo;

/// <summary>
/// Section <c>Cluster:Tls</c>: the processes of a cluster prove to each other that they belong to it. All three files, or
/// none.
/// </summary>
public sealed class ClusterTlsOptions : IValidatableObject
{
    /// <summary>PEM file: the certificate of this process, then those between it and the authority.</summary>
    public string? Certificate { get; set; }

    /// <summary>PEM file: the key of the certificate, not encrypted.</summary>
    public string? Key { get; set; }

    /// <summary>
    /// PEM file: the authority or authorities of the cluster. Whoever has a certificate of theirs is a member.
    /// </summary>
    public string? Authority { get; set; }

    /// <summary>Whether the processes of the cluster use TLS.</summary>
    public bool IsOn => Certificate is not null;

    public IEnumerable<ValidationResult> Validate(ValidationContext context)
    {
        if (Certificate is null && Key is null && Authority is null)
            yield break;
        if (Certificate is null || Key is null || Authority is null)
            yield return new("Set all three, or none.", [nameof(Certificate), nameof(Key), nameof(Authority)]);
        else if (ClusterCertificate.FaultOf(this, DateTimeOffset.UtcNow) is { } fault)
            yield return new(fault, [nameof(Certificate)]);
    }
}

/// <summary>What <see cref="ClusterTlsOptions"/> names, as it was when it was read.</summary>
/// <param name="Own">The certificate with its key.</param>
/// <param name="Chain">The certificates between it and the authority.</param>
sealed record ClusterCertificate(
    X509Certificate2 Own,
    X509Certificate2Collection Chain,
    X509Certificate2Collection Authorities
)
{
    /// <exception cref="CryptographicException">A file is not what it should be.</exception>
    /// <exception cref="ArgumentException">The key is not that of the certificate.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">A file may not be read.</exception>
    public static ClusterCertificate Read(ClusterTlsOptions options)
    {
        using var read = X509Certificate2.CreateFromPemFile(options.Certificate!, options.Key!);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(options.Certificate!);
        chain.RemoveAt(0);
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPemFile(options.Authority!);
        // Windows takes no key for TLS that is in memory only.
        var own = X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pfx), null);
        return new(own, chain, authorities);
    }

    /// <summary>Why a process could not prove by these files that it belongs to the cluster; null if it could.</summary>
    public static string? FaultOf(ClusterTlsOptions options, DateTimeOffset now)
    {
        try
        {
            var certificate = Read(options);
            using var chain = new X509Chain { ChainPolicy = certificate.Policy(now) };
            chain.ChainPolicy.ExtraStore.AddRange(certificate.Chain);
            return chain.Build(certificate.Own)
                ? null
                : "The certificate does not prove membership: "
                    + string.Join(' ', chain.ChainStatus.Select(status => status.StatusInformation.Trim()));
        }
        catch (Exception e)
            when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    /// <summary>The authorities of the cluster are the only ones, and nothing is fetched to find out.</summary>
    public X509ChainPolicy Policy(DateTimeOffset now)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = now.UtcDateTime,
            VerificationTimeIgnored = false,
        };
        policy.CustomTrustStore.AddRange(Authorities);
        return policy;
    }
}

/// <summary>
/// Mutual TLS between the processes of a cluster. Renewed files are used for new connections a minute later at most, without
/// a restart.
/// </summary>
sealed class ClusterTls(ClusterTlsOptions options, TimeProvider time, ILogger<ClusterTls> log)
{
    static readonly TimeSpan ReadInterval = TimeSpan.FromMinutes(1);
    readonly Lock turn = new();
    ClusterCertificate current = ClusterCertificate.Read(options);
    DateTimeOffset read = time.GetUtcNow();

    /// <summary>Makes both sides of each connection present a certificate, and check the other's.</summary>
    public void Settle(TlsOptions tls)
    {
        tls.LocalCertificate = current.Own;
        tls.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        tls.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        // Nodes have addresses that change; the authority names the members, not the names in their certificates.
        tls.RemoteCertificateValidation = (_, _, errors) =>
            (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) is SslPolicyErrors.None;
        tls.OnAuthenticateAsServer = (_, connection) =>
        {
            var certificate = Current();
            var ssl = (SslServerAuthenticationOptions)connection.SslServerAuthenticationOptions;
            ssl.ServerCertificate = null;
            ssl.ServerCertificateSelectionCallback = null;
            ssl.ServerCertificateContext = SslStreamCertificateContext.Create(
                certificate.Own,
                certificate.Chain,
                offline: true
            );
            ssl.CertificateChainPolicy = certificate.Policy(time.GetUtcNow());
        };
        tls.OnAuthenticateAsClient = (_, connection) =>
        {
            var certificate = Current();
            var ssl = (SslClientAuthenticationOptions)connection.SslClientAuthenticationOptions;
            ssl.TargetHost = "cluster";
            ssl.ClientCertificates = null;
            ssl.LocalCertificateSelectionCallback = null;
            ssl.ClientCertificateContext = SslStreamCertificateContext.Create(
                certificate.Own,
                certificate.Chain,
                offline: true
            );
            ssl.CertificateChainPolicy = certificate.Policy(time.GetUtcNow());
        };
    }

    ClusterCertificate Current()
    {
        lock (turn)
        {
            var now = time.GetUtcNow();
            if (now - read < ReadInterval)
                return current;
            read = now;
            // Files that are being replaced may not fit together yet.
            if (ClusterCertificate.FaultOf(options, now) is { } fault)
                log.LogWarning("The files of Cluster__Tls are not used: {Fault}", fault);
            else
                current = ClusterCertificate.Read(options);
            return current;
        }
    }
}
