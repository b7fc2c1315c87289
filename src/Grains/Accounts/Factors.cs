using System.Diagnostics;

namespace Resources.Grains;

/// <summary>The factors of an account beside its password.</summary>
/// <param name="TotpSecret">The name in the vault of the secret for one-time codes; null when there is none.</param>
/// <param name="TotpConfirmed">Whether the owner has confirmed the secret by a code; it does not count before.</param>
/// <param name="TotpStep">The last time step whose code was accepted; this step and all before it are spent.</param>
/// <param name="RecoveryCodes">The name in the vault of the hashes of the recovery codes.</param>
/// <param name="UnusedCodes">The indexes of the recovery codes that are not spent.</param>
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
    public const int MaxPasskeys = 20;

    public static readonly Factors None = new(null, false, 0, null, [], []);

    /// <summary>Whether a password alone is not enough.</summary>
    public bool AreAsked => TotpConfirmed || Passkeys is not [];

    /// <summary>The names in the vault of all secrets that the factors use.</summary>
    public IEnumerable<Guid> Secrets() =>
        new[] { TotpSecret, RecoveryCodes }.OfType<Guid>().Concat(Passkeys.Select(passkey => passkey.Secret));

    public static Factors Evolve(Factors state, Recorded<AccountEvent> recorded) =>
        recorded.Data switch
        {
            AccountTotpEnrolled e => state with { TotpSecret = e.Secret, TotpConfirmed = false, TotpStep = 0 },
            AccountTotpConfirmed e => state with { TotpConfirmed = true, TotpStep = e.Step },
            AccountTotpAccepted e => state with { TotpStep = e.Step },
            AccountTotpRemoved => WithCodesInUse(state with { TotpSecret = null, TotpConfirmed = false, TotpStep = 0 }),
            AccountRecoveryCodesIssued e => state with
            {
                RecoveryCodes = e.Codes,
                UnusedCodes = [.. Enumerable.Range(0, e.Count)],
            },
            AccountRecoveryCodeUsed e => state with
            {
                UnusedCodes = [.. state.UnusedCodes.Where(index => index != e.Index)],
            },
            AccountPasskeyAdded e => state with
            {
                Passkeys = [.. state.Passkeys, new(e.Passkey, e.Secret, e.SignCount, recorded.At, null)],
            },
            AccountPasskeyUsed e => state with
            {
                Passkeys =
                [
                    .. state.Passkeys.Select(passkey =>
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
            AccountPasskeyRemoved e => WithCodesInUse(
                state with
                {
                    Passkeys = [.. state.Passkeys.Where(passkey => passkey.Id != e.Passkey)],
                }
            ),
            _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
        };

    public static Decision<AccountEvent> Decide(Factors state, FactorCommand command, AccountContext context) =>
        (command, context.Facts.Code) switch
        {
            (EnrollTotp, _) => state.TotpConfirmed
                ? new Rejection(Refusal.AlreadyExists, "One-time codes are set up; remove them first.")
                : [new AccountTotpEnrolled(context.Facts.Secret!.Value)],
            (ConfirmTotp, _) when state.TotpSecret is null => new Rejection(
                Refusal.NoFactor,
                "No secret for one-time codes was shown yet."
            ),
            (ConfirmTotp, null) => new Rejection(Refusal.FactorFailed, "The code is wrong."),
            (ConfirmTotp, _) when state.TotpConfirmed => new Rejection(
                Refusal.AlreadyExists,
                "One-time codes are set up already."
            ),
            (ConfirmTotp, { Secret: var secret }) when secret != state.TotpSecret => new Rejection(
                Refusal.FactorFailed,
                "The code is of another secret."
            ),
            (ConfirmTotp, { Number: var step }) => [new AccountTotpConfirmed(step)],
            (RemoveTotp, _) => state.TotpSecret is null ? [] : [new AccountTotpRemoved()],
            (SpendFactor { Method: SpendFactor.Totp }, { } code) when state.Accepts(code) =>
            [
                new AccountTotpAccepted(code.Number),
            ],
            (SpendFactor { Method: SpendFactor.RecoveryCode }, { } code) when state.HasUnused(code) =>
            [
                new AccountRecoveryCodeUsed((int)code.Number),
            ],
            (SpendFactor, _) => Failed,
            (IssueRecoveryCodes, _) when !state.AreAsked => new Rejection(
                Refusal.NoFactor,
                "Recovery codes stand in for one-time codes or passkeys; set these up first."
            ),
            (IssueRecoveryCodes c, _) => [new AccountRecoveryCodesIssued(context.Facts.Secret!.Value, c.Hashes.Length)],
            (AddPasskey, _) when context.Facts.Passkey is not { } added || state.Find(added) is not null =>
                new Rejection(Refusal.AlreadyExists, "This passkey is registered already."),
            (AddPasskey, _) when state.Passkeys.Length >= MaxPasskeys => new Rejection(
                Refusal.AlreadyExists,
                $"An account may have {MaxPasskeys} passkeys."
            ),
            (AddPasskey c, _) =>
            [
                new AccountPasskeyAdded(context.Facts.Passkey!.Value, context.Facts.Secret!.Value, c.SignCount),
            ],
            // A counter that does not grow belongs to a copy or a replayed assertion. Many authenticators do not count:
            // then it stays 0.
            (UsePasskey c, _) => state.Find(c.Passkey) is { } known
            && (c.SignCount > known.SignCount || c.SignCount is 0 && known.SignCount is 0)
                ? [new AccountPasskeyUsed(c.Passkey, c.SignCount)]
                : Failed,
            (RemovePasskey c, _) => state.Find(c.Passkey) is null
                ? new Rejection(Refusal.PasskeyNotFound, "There is no such passkey.")
                : [new AccountPasskeyRemoved(c.Passkey)],
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };

    bool Accepts(MatchedCode code) => TotpConfirmed && code.Secret == TotpSecret && code.Number > TotpStep;

    bool HasUnused(MatchedCode code) => code.Secret == RecoveryCodes && UnusedCodes.Contains((int)code.Number);

    Passkey? Find(Guid id) => Passkeys.FirstOrDefault(passkey => passkey.Id == id);

    /// <summary>Removes the recovery codes together with the last factor that they stand in for.</summary>
    static Factors WithCodesInUse(Factors factors) =>
        factors.AreAsked ? factors : factors with { RecoveryCodes = null, UnusedCodes = [] };

    static readonly Rejection Failed = new(Refusal.FactorFailed, "The second factor is wrong, or was used already.");
}
