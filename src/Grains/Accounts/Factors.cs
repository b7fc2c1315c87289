using System.Diagnostics;

namespace Resources.Grains;

/// <summary>A passkey of an account.</summary>
/// <param name="Secret">The name in the vault of what belongs to it.</param>
[GenerateSerializer, Immutable, Alias("passkey")]
public sealed record Passkey(Guid Id, Guid Secret, long SignCount, DateTimeOffset CreatedAt, DateTimeOffset? UsedAt);

/// <summary>What an account's owner proves to be themselves with, beside the password.</summary>
/// <param name="TotpSecret">The name in the vault of the secret for one-time codes; null = there is none.</param>
/// <param name="TotpConfirmed">Whether the owner has shown a code of it; it asks for nothing before.</param>
/// <param name="TotpStep">The last step of time whose code was accepted: it and those before it are spent.</param>
/// <param name="RecoveryCodes">The name in the vault of the hashes of the recovery codes.</param>
/// <param name="UnusedCodes">Those that are not spent.</param>
[GenerateSerializer, Immutable, Alias("factors")]
public sealed record Factors(
    Guid? TotpSecret,
    bool TotpConfirmed,
    long TotpStep,
    Guid? RecoveryCodes,
    int[] UnusedCodes,
    Passkey[] Passkeys
)
{
    public const int MostPasskeys = 20;

    public static readonly Factors None = new(null, false, 0, null, [], []);

    /// <summary>Whether a password alone is not enough.</summary>
    public bool AreAsked => TotpConfirmed || Passkeys is not [];

    public Decision<AccountEvent> Decide(FactorCommand command) =>
        command switch
        {
            EnrollTotp when TotpConfirmed => new Rejection(
                Refusal.AlreadyExists,
                "One-time codes are set up; remove them first."
            ),
            EnrollTotp c => [new AccountTotpEnrolled(c.Secret)],
            ConfirmTotp when TotpConfirmed => new Rejection(
                Refusal.AlreadyExists,
                "One-time codes are set up already."
            ),
            ConfirmTotp c when c.Secret != TotpSecret => new Rejection(
                Refusal.FactorFailed,
                "The code is of another secret."
            ),
            ConfirmTotp c => [new AccountTotpConfirmed(c.Step)],
            AcceptTotp c when !TotpConfirmed || c.Secret != TotpSecret || c.Step <= TotpStep => Failed,
            AcceptTotp c => [new AccountTotpAccepted(c.Step)],
            RemoveTotp => TotpSecret is null ? [] : [new AccountTotpRemoved()],
            IssueRecoveryCodes when !AreAsked => new Rejection(
                Refusal.NoFactor,
                "Recovery codes stand in for one-time codes or passkeys; set these up first."
            ),
            IssueRecoveryCodes c => [new AccountRecoveryCodesIssued(c.Codes, c.Count)],
            UseRecoveryCode c => c.Codes == RecoveryCodes && UnusedCodes.Contains(c.Index)
                ? [new AccountRecoveryCodeUsed(c.Index)]
                : Failed,
            AddPasskey c when Passkeys.Any(passkey => passkey.Id == c.Passkey) => new Rejection(
                Refusal.AlreadyExists,
                "This passkey is registered already."
            ),
            AddPasskey when Passkeys.Length >= MostPasskeys => new Rejection(
                Refusal.AlreadyExists,
                $"An account may have {MostPasskeys} passkeys."
            ),
            AddPasskey c => [new AccountPasskeyAdded(c.Passkey, c.Secret, c.SignCount)],
            // A counter that does not grow is that of a copy, or of an assertion that came before. Many authenticators
            // do not count: then it stays 0.
            UsePasskey c => Passkeys.FirstOrDefault(passkey => passkey.Id == c.Passkey) is { } known
            && (c.SignCount > known.SignCount || c.SignCount is 0 && known.SignCount is 0)
                ? [new AccountPasskeyUsed(c.Passkey, c.SignCount)]
                : Failed,
            RemovePasskey c => Passkeys.Any(passkey => passkey.Id == c.Passkey)
                ? [new AccountPasskeyRemoved(c.Passkey)]
                : new Rejection(Refusal.PasskeyNotFound, "There is no such passkey."),
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

    public Factors Evolve(Recorded<AccountEvent> recorded) =>
        recorded.Data switch
        {
            AccountTotpEnrolled e => this with { TotpSecret = e.Secret, TotpConfirmed = false, TotpStep = 0 },
            AccountTotpConfirmed e => this with { TotpConfirmed = true, TotpStep = e.Step },
            AccountTotpAccepted e => this with { TotpStep = e.Step },
            AccountTotpRemoved => Kept(this with { TotpSecret = null, TotpConfirmed = false, TotpStep = 0 }),
            AccountRecoveryCodesIssued e => this with
            {
                RecoveryCodes = e.Codes,
                UnusedCodes = [.. Enumerable.Range(0, e.Count)],
            },
            AccountRecoveryCodeUsed e => this with { UnusedCodes = [.. UnusedCodes.Where(index => index != e.Index)] },
            AccountPasskeyAdded e => this with
            {
                Passkeys = [.. Passkeys, new(e.Passkey, e.Secret, e.SignCount, recorded.At, null)],
            },
            AccountPasskeyUsed e => this with
            {
                Passkeys =
                [
                    .. Passkeys.Select(passkey =>
                        passkey.Id == e.Passkey
                            ? passkey with
                            {
                                SignCount = e.SignCount,
                                UsedAt = recorded.At,
                            }
                            : passkey
                    ),
                ],
            },
            AccountPasskeyRemoved e => Kept(
                this with
                {
                    Passkeys = [.. Passkeys.Where(passkey => passkey.Id != e.Passkey)],
                }
            ),
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };

    /// <summary>Recovery codes go with the last factor that they stand in for.</summary>
    static Factors Kept(Factors factors) =>
        factors.AreAsked ? factors : factors with { RecoveryCodes = null, UnusedCodes = [] };

    static readonly Rejection Failed = new(Refusal.FactorFailed, "The second factor is wrong, or was used already.");
}

/// <summary>What can be asked of an account's factors.</summary>
public abstract record FactorCommand : AccountCommand;

public sealed record EnrollTotp(Guid Secret) : FactorCommand;

public sealed record ConfirmTotp(Guid Secret, long Step) : FactorCommand;

public sealed record AcceptTotp(Guid Secret, long Step) : FactorCommand;

public sealed record RemoveTotp : FactorCommand;

public sealed record IssueRecoveryCodes(Guid Codes, int Count) : FactorCommand;

public sealed record UseRecoveryCode(Guid Codes, int Index) : FactorCommand;

public sealed record AddPasskey(Guid Passkey, Guid Secret, long SignCount) : FactorCommand;

public sealed record UsePasskey(Guid Passkey, long SignCount) : FactorCommand;

public sealed record RemovePasskey(Guid Passkey) : FactorCommand;
