using System.Security.Cryptography;
using System.Text;

namespace Resources.Silo;

/// <summary>The operator's key: AES-256-GCM over everything secret that is stored.</summary>
public sealed class MasterKey
{
    const int NonceSize = 12;
    const int TagSize = 16;

    readonly byte[] key;

    MasterKey(byte[] key) => this.key = key;

    /// <summary>
    /// The configured key. In Development a missing one is kept in a file of the data directory, so that restarts find
    /// it.
    /// </summary>
    public static MasterKey Load(SecretsOptions secrets, string dataDirectory)
    {
        if (secrets.MasterKey is { } given)
            return new(Convert.FromBase64String(given));
        var file = Path.Combine(dataDirectory, "master-key");
        if (!File.Exists(file))
            OwnerFile.Write(file, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        return new(Convert.FromBase64String(File.ReadAllText(file)));
    }

    /// <summary>A key of its own for one purpose, the same on every node.</summary>
    public byte[] Derive(string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, info: Encoding.UTF8.GetBytes(purpose));

    /// <summary>Encrypts; the purpose must be given again to decrypt.</summary>
    public byte[] Protect(byte[] secret, string purpose)
    {
        var output = new byte[NonceSize + TagSize + secret.Length];
        RandomNumberGenerator.Fill(output.AsSpan(0, NonceSize));
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(
            output.AsSpan(0, NonceSize),
            secret,
            output.AsSpan(NonceSize + TagSize),
            output.AsSpan(NonceSize, TagSize),
            Encoding.UTF8.GetBytes(purpose)
        );
        return output;
    }

    /// <summary>Decrypts what <see cref="Protect"/> made.</summary>
    /// <exception cref="ConfigurationException">It was made with another master key.</exception>
    public byte[] Unprotect(byte[] sealedSecret, string purpose)
    {
        var secret = new byte[sealedSecret.Length - NonceSize - TagSize];
        using var aes = new AesGcm(key, TagSize);
        try
        {
            aes.Decrypt(
                sealedSecret.AsSpan(0, NonceSize),
                sealedSecret.AsSpan(NonceSize + TagSize),
                sealedSecret.AsSpan(NonceSize, TagSize),
                secret,
                Encoding.UTF8.GetBytes(purpose)
            );
            return secret;
        }
        catch (AuthenticationTagMismatchException)
        {
            throw new ConfigurationException(
                "Secrets:MasterKey is not the key with which this database's secrets were encrypted."
            );
        }
    }
}
