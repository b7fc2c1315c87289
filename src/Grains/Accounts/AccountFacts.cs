namespace Resources.Grains;

/// <summary>
/// What the grain of an account has done and found out for a command, as decisions know neither vault nor directory.
/// </summary>
/// <param name="Email">The name in the vault of the command's address.</param>
/// <param name="Secret">The name in the vault of the command's secret.</param>
/// <param name="Passkey">The id of the command's passkey; null when another account has the credential.</param>
/// <param name="Code">The match of the command's code; null when the code is wrong.</param>
public sealed record AccountFacts(
    Guid? Email = null,
    Guid? Secret = null,
    Guid? Passkey = null,
    MatchedCode? Code = null
)
{
    public static readonly AccountFacts None = new();
}
