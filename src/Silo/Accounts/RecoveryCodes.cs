using System.Security.Cryptography;
using System.Text;

namespace Resources.Silo;

/// <summary>
/// Recovery codes: 128 random bits each, so that a plain hash keeps them; written in groups that people can copy.
/// </summary>
public static class RecoveryCodes
{
    public const int Count = 10;

    /// <summary>Longer than any code, with room for how people write them.</summary>
    public const int MaxLength = 64;

    /// <summary>Without letters and digits that look alike.</summary>
    const string Alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

    const int Length = 26;
    const int Group = 5;

    /// <summary>New codes.</summary>
    public static string[] Create() =>
        [
            .. Enumerable
                .Range(0, Count)
                .Select(_ =>
                    string.Join(
                        '-',
                        RandomNumberGenerator.GetString(Alphabet, Length).Chunk(Group).Select(part => new string(part))
                    )
                ),
        ];

    /// <summary>The hash of a code, in capitals or not, with or without what stands between the groups.</summary>
    public static string Hash(string code) =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(new string([.. code.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit)]))
            )
        );
}
