using System.Security.Cryptography;
using System.Text;

namespace Resources.Silo;

/// <summary>
/// The operator's key: AES-256-GCM over everything secret that is stored. While it is being changed there is a second
/// one, which opens what it has sealed.
/// </summary>
public sealed class MasterKey
{
    /// <summary>Of this key and of those that are derived.</summary>
    public const int Size = 32;

    const int NonceSize = 12;
    const int TagSize = 16;

    readonly byte[] key;
    readonly byte[]? second;
    byte[]? root;

    MasterKey(byte[] key, byte[]? second)
    {
        this.key = key;
        this.second = second;
    }

    /// <summary>
    /// The configured keys. In Development a missing one is kept in a file of the data directory, so that restarts find
    /// it.
    /// </summary>
    public static MasterKey Load(SecretsOptions secrets, string dataDirectory)
    {
        var second = secrets.SecondMasterKey is { } other ? Convert.FromBase64String(other) : null;
        if (secrets.MasterKey is { } given)
            return new(Convert.FromBase64String(given), second);
        var file = Path.Combine(dataDirectory, "master-key");
        if (!File.Exists(file))
            OwnerFile.Write(file, Convert.ToBase64String(RandomNumberGenerator.GetBytes(Size)));
        return new(Convert.FromBase64String(File.ReadAllText(file)), second);
    }

    /// <summary>
    /// The root key of a database in which keys were derived from the master key alone, as earlier releases did it.
    /// </summary>
    /// <param name="sealedSecret">One that an earlier release has made; null where there is none.</param>
    /// <exception cref="ConfigurationException">Neither key opens it.</exception>
    internal byte[] EarlierRoot(byte[]? sealedSecret, string purpose) =>
        sealedSecret is null || Renew(sealedSecret, purpose) is null ? key : second!;

    /// <summary>From now on keys are derived from the root key of the database.</summary>
    internal void DeriveFrom(byte[] rootKey) => root = rootKey;

    /// <summary>A key of its own for one purpose, the same on every node and under every master key.</summary>
    /// <exception cref="InvalidOperationException">The secrets of the database were not opened yet.</exception>
    public byte[] Derive(string purpose) =>
        HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            root
                ?? throw new InvalidOperationException("No key can be derived before the database's secrets are open."),
            Size,
            info: Encoding.UTF8.GetBytes(purpose)
        );

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

    /// <summary>Decrypts what <see cref="Protect"/> made, under either key.</summary>
    /// <exception cref="ConfigurationException">It was made with another master key.</exception>
    public byte[] Unprotect(byte[] sealedSecret, string purpose) =>
        Open(key, sealedSecret, purpose)
        ?? (second is null ? null : Open(second, sealedSecret, purpose))
        ?? throw new ConfigurationException(
            "Secrets:MasterKey is not the key with which this database's secrets were encrypted."
        );

    /// <summary>The same secret under the first key; null where it is under that key already.</summary>
    /// <exception cref="ConfigurationException">Neither key opens it.</exception>
    public byte[]? Renew(byte[] sealedSecret, string purpose) =>
        Open(key, sealedSecret, purpose) is null ? Protect(Unprotect(sealedSecret, purpose), purpose) : null;

    static byte[]? Open(byte[] with, byte[] sealedSecret, string purpose)
    {
        var secret = new byte[sealedSecret.Length - NonceSize - TagSize];
        using var aes = new AesGcm(with, TagSize);
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
            return null;
        }
    }
}
