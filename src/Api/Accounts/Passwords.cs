using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Passwords: 15 to 128 characters of any kind, hashed with PBKDF2-SHA512.</summary>
public sealed class Passwords
{
    public const int MinLength = 15;
    public const int MaxLength = 128;

    // ASVS 5.0, appendix C asks for 210,000 or more with SHA-512.
    readonly PasswordHasher<Account> hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = 220_000 }));
    readonly string nobody;

    public Passwords() => nobody = Hash(Guid.CreateVersion7().ToString());

    public string Hash(string password) => hasher.HashPassword(null!, password);

    /// <summary>Whether the password is the account's. An unknown account costs the same time as a known one.</summary>
    public bool Verify(string? hash, string password) => hasher.VerifyHashedPassword(null!, hash ?? nobody, password) is not PasswordVerificationResult.Failed && hash is not null;
}
