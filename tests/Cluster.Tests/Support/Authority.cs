using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Resources.Cluster.Tests;

/// <summary>An authority that issues certificates to the processes of a cluster, and the files of those.</summary>
sealed class Authority : IDisposable
{
    const string ServerUsage = "1.3.6.1.5.5.7.3.1";
    const string ClientUsage = "1.3.6.1.5.5.7.3.2";

    readonly TestDirectory directory = new();
    readonly X509Certificate2 root;

    public Authority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        File.WriteAllText(FileOf("authority"), root.ExportCertificatePem());
    }

    /// <summary>The options of a process with these files.</summary>
    public (string Key, string Value)[] Options =>
        [
            ("Cluster:Tls:Certificate", FileOf("certificate")),
            ("Cluster:Tls:Key", FileOf("key")),
            ("Cluster:Tls:Authority", FileOf("authority")),
        ];

    /// <summary>Writes the files of a new certificate.</summary>
    /// <param name="days">After which it expires; 0 = it has expired an hour ago.</param>
    /// <returns>The certificate with its key.</returns>
    public X509Certificate2 Issue(int days = 10)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509EnhancedKeyUsageExtension([new(ServerUsage), new(ClientUsage)], critical: false)
        );
        using var issued = request.Create(
            root,
            DateTimeOffset.UtcNow.AddHours(-12),
            DateTimeOffset.UtcNow.AddDays(days).AddHours(-1),
            RandomNumberGenerator.GetBytes(8)
        );
        File.WriteAllText(FileOf("certificate"), issued.ExportCertificatePem());
        File.WriteAllText(FileOf("key"), key.ExportPkcs8PrivateKeyPem());
        return issued.CopyWithPrivateKey(key);
    }

    public void Dispose()
    {
        root.Dispose();
        directory.Dispose();
    }

    public string FileOf(string name) => Path.Combine(directory.Path, name + ".pem");
}
