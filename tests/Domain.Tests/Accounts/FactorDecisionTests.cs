using Resources.Grains;
using static Resources.Domain.Tests.AccountScenario;

namespace Resources.Domain.Tests;

/// <summary>The commands of an account's factors: given events, when a command, then events or a refusal.</summary>
public class FactorDecisionTests
{
    static readonly Guid Secret = new(11, 0, 0, new byte[8]);
    static readonly Guid Codes = new(12, 0, 0, new byte[8]);

    static readonly AccountEvent Enrolled = new AccountTotpEnrolled(Secret);
    static readonly AccountEvent Confirmed = new AccountTotpConfirmed(10);
    static readonly AccountEvent Issued = new AccountRecoveryCodesIssued(Codes, 3);
    static readonly AccountEvent Added = new AccountPasskeyAdded(Phone, Other, 5);

    static readonly FactorCommand Confirm = new ConfirmTotp("123456");
    static readonly FactorCommand OneTimeCode = new SpendFactor(SpendFactor.Totp, "123456");
    static readonly FactorCommand RecoveryCode = new SpendFactor(SpendFactor.RecoveryCode, "abcde");

    [Fact]
    public void A_secret_for_one_time_codes_may_be_replaced_until_it_is_confirmed()
    {
        When([Registered], new EnrollTotp([1]), new(Secret: Secret)).Is(new AccountTotpEnrolled(Secret));
        When([Registered, Enrolled], new EnrollTotp([1]), new(Secret: Other)).Is(new AccountTotpEnrolled(Other));
        When([Registered, Enrolled, Confirmed], new EnrollTotp([1]), new(Secret: Other))
            .IsRefused(Refusal.AlreadyExists);
    }

    [Fact]
    public void One_time_codes_are_enrolled_again_after_their_removal() =>
        When([Registered, Enrolled, Confirmed, new AccountTotpRemoved()], new EnrollTotp([1]), new(Secret: Other))
            .Is(new AccountTotpEnrolled(Other));

    [Fact]
    public void A_code_of_the_enrolled_secret_confirms_it() =>
        When([Registered, Enrolled], Confirm, Match(Secret, 10)).Is(new AccountTotpConfirmed(10));

    [Fact]
    public void Confirmation_needs_an_enrolled_secret()
    {
        When([Registered], Confirm).IsRefused(Refusal.NoFactor);
        When([Registered, Enrolled, Confirmed, new AccountTotpRemoved()], Confirm, Match(Secret, 10))
            .IsRefused(Refusal.NoFactor);
    }

    [Fact]
    public void A_wrong_code_or_one_of_a_replaced_secret_confirms_nothing()
    {
        When([Registered, Enrolled], Confirm).IsRefused(Refusal.FactorFailed);
        When([Registered, Enrolled, new AccountTotpEnrolled(Other)], Confirm, Match(Secret, 10))
            .IsRefused(Refusal.FactorFailed);
    }

    [Fact]
    public void A_secret_is_confirmed_once()
    {
        When([Registered, Enrolled, Confirmed], Confirm, Match(Secret, 11)).IsRefused(Refusal.AlreadyExists);
        When([Registered, Enrolled, Confirmed], Confirm).IsRefused(Refusal.FactorFailed);
    }

    [Fact]
    public void An_unconfirmed_secret_is_not_asked_for()
    {
        Assert.False(After([Registered, Enrolled]).Factors.AreAsked);
        Assert.True(After([Registered, Enrolled, Confirmed]).Factors.AreAsked);
    }

    [Fact]
    public void One_time_codes_are_removed_whether_confirmed_or_not()
    {
        When([Registered, Enrolled], new RemoveTotp()).Is(new AccountTotpRemoved());
        When([Registered, Enrolled, Confirmed], new RemoveTotp()).Is(new AccountTotpRemoved());
    }

    [Fact]
    public void Removal_of_one_time_codes_that_are_not_set_up_changes_nothing()
    {
        When([Registered], new RemoveTotp()).IsNothing();
        When([Registered, Enrolled, new AccountTotpRemoved()], new RemoveTotp()).IsNothing();
    }

    [Fact]
    public void A_code_of_a_later_time_step_is_accepted() =>
        When([Registered, Enrolled, Confirmed], OneTimeCode, Match(Secret, 11)).Is(new AccountTotpAccepted(11));

    [Theory]
    [InlineData(12)]
    [InlineData(11)]
    [InlineData(10)]
    public void A_code_of_a_spent_or_earlier_time_step_is_refused(long step) =>
        When([Registered, Enrolled, Confirmed, new AccountTotpAccepted(12)], OneTimeCode, Match(Secret, step))
            .IsRefused(Refusal.FactorFailed);

    [Fact]
    public void The_code_that_confirmed_the_secret_is_spent() =>
        When([Registered, Enrolled, Confirmed], OneTimeCode, Match(Secret, 10)).IsRefused(Refusal.FactorFailed);

    [Fact]
    public void A_code_is_refused_when_it_is_wrong_or_its_secret_unconfirmed_or_replaced()
    {
        When([Registered, Enrolled, Confirmed], OneTimeCode).IsRefused(Refusal.FactorFailed);
        When([Registered, Enrolled], OneTimeCode, Match(Secret, 11)).IsRefused(Refusal.FactorFailed);
        When([Registered, Enrolled, Confirmed], OneTimeCode, Match(Other, 11)).IsRefused(Refusal.FactorFailed);
        When([Registered], OneTimeCode).IsRefused(Refusal.FactorFailed);
    }

    [Fact]
    public void A_recovery_code_is_accepted_once()
    {
        When([Registered, Added, Issued], RecoveryCode, Match(Codes, 1)).Is(new AccountRecoveryCodeUsed(1));
        When([Registered, Added, Issued, new AccountRecoveryCodeUsed(1)], RecoveryCode, Match(Codes, 1))
            .IsRefused(Refusal.FactorFailed);
        When([Registered, Added, Issued, new AccountRecoveryCodeUsed(1)], RecoveryCode, Match(Codes, 2))
            .Is(new AccountRecoveryCodeUsed(2));
    }

    [Fact]
    public void A_recovery_code_is_refused_when_it_is_wrong_or_was_replaced()
    {
        When([Registered, Added, Issued], RecoveryCode).IsRefused(Refusal.FactorFailed);
        When([Registered, Added, Issued], RecoveryCode, Match(Codes, 3)).IsRefused(Refusal.FactorFailed);
        When([Registered, Added, Issued, new AccountRecoveryCodesIssued(Other, 3)], RecoveryCode, Match(Codes, 1))
            .IsRefused(Refusal.FactorFailed);
    }

    [Fact]
    public void A_code_counts_only_for_its_own_method()
    {
        AccountEvent[] given = [Registered, Enrolled, Confirmed, Issued];
        When(given, OneTimeCode, Match(Codes, 11)).IsRefused(Refusal.FactorFailed);
        When(given, RecoveryCode, Match(Secret, 1)).IsRefused(Refusal.FactorFailed);
        When(given, new SpendFactor("carrier_pigeon", "123456"), Match(Secret, 11)).IsRefused(Refusal.FactorFailed);
    }

    [Fact]
    public void Recovery_codes_need_a_factor_that_they_stand_in_for()
    {
        var issue = new IssueRecoveryCodes(["a", "b"]);
        When([Registered], issue, new(Secret: Codes)).IsRefused(Refusal.NoFactor);
        When([Registered, Enrolled], issue, new(Secret: Codes)).IsRefused(Refusal.NoFactor);
        When([Registered, Enrolled, Confirmed], issue, new(Secret: Codes)).Is(new AccountRecoveryCodesIssued(Codes, 2));
        When([Registered, Added], issue, new(Secret: Codes)).Is(new AccountRecoveryCodesIssued(Codes, 2));
    }

    [Fact]
    public void New_recovery_codes_replace_the_old_ones()
    {
        When([Registered, Added, Issued], new IssueRecoveryCodes(["a", "b"]), new(Secret: Other))
            .Is(new AccountRecoveryCodesIssued(Other, 2));
        var factors = After([
            Registered,
            Added,
            Issued,
            new AccountRecoveryCodeUsed(0),
            new AccountRecoveryCodesIssued(Other, 2),
        ]).Factors;
        Assert.Equal([0, 1], factors.UnusedCodes);
    }

    [Fact]
    public void A_passkey_is_added_with_the_name_of_its_credential() =>
        When([Registered], new AddPasskey(Credential, 5), new(Secret: Other, Passkey: Phone))
            .Is(new AccountPasskeyAdded(Phone, Other, 5));

    [Fact]
    public void A_credential_is_added_once_and_to_one_account_only()
    {
        When([Registered, Added], new AddPasskey(Credential, 5), new(Secret: Other, Passkey: Phone))
            .IsRefused(Refusal.AlreadyExists);
        When([Registered], new AddPasskey(Credential, 5)).IsRefused(Refusal.AlreadyExists);
    }

    [Fact]
    public void A_removed_passkey_may_be_added_again() =>
        When(
                [Registered, Added, new AccountPasskeyRemoved(Phone)],
                new AddPasskey(Credential, 5),
                new(Secret: Other, Passkey: Phone)
            )
            .Is(new AccountPasskeyAdded(Phone, Other, 5));

    [Fact]
    public void An_account_has_at_most_20_passkeys()
    {
        AccountEvent[] Given(int count) =>
            [
                Registered,
                .. Enumerable
                    .Range(100, count)
                    .Select(number => new AccountPasskeyAdded(new(number, 0, 0, new byte[8]), Other, 0)),
            ];
        var add = new AddPasskey(Credential, 0);
        When(Given(19), add, new(Secret: Other, Passkey: Phone)).Is(new AccountPasskeyAdded(Phone, Other, 0));
        When(Given(20), add, new(Secret: Other, Passkey: Phone)).IsRefused(Refusal.AlreadyExists);
    }

    [Fact]
    public void A_growing_counter_of_a_passkey_is_accepted() =>
        When([Registered, Added], new UsePasskey(Phone, 6)).Is(new AccountPasskeyUsed(Phone, 6));

    [Theory]
    [InlineData(5)]
    [InlineData(4)]
    [InlineData(0)]
    public void A_counter_that_does_not_grow_is_refused(long count) =>
        When([Registered, Added], new UsePasskey(Phone, count)).IsRefused(Refusal.FactorFailed);

    [Fact]
    public void A_passkey_without_a_counter_stays_at_zero()
    {
        AccountEvent[] given = [Registered, new AccountPasskeyAdded(Phone, Other, 0)];
        When(given, new UsePasskey(Phone, 0)).Is(new AccountPasskeyUsed(Phone, 0));
        When([.. given, new AccountPasskeyUsed(Phone, 0)], new UsePasskey(Phone, 0))
            .Is(new AccountPasskeyUsed(Phone, 0));
    }

    [Fact]
    public void Only_a_passkey_of_the_account_is_used()
    {
        When([Registered, Added], new UsePasskey(Other, 6)).IsRefused(Refusal.FactorFailed);
        When([Registered, Added, new AccountPasskeyRemoved(Phone)], new UsePasskey(Phone, 6))
            .IsRefused(Refusal.FactorFailed);
    }

    [Fact]
    public void A_used_passkey_keeps_its_counter_and_the_time()
    {
        var passkey = Assert.Single(After([Registered, Added, new AccountPasskeyUsed(Phone, 6)]).Factors.Passkeys);
        Assert.Equal(new(Phone, Other, 6, Story.At(2), Story.At(3)), passkey);
    }

    [Fact]
    public void Only_a_passkey_of_the_account_is_removed()
    {
        When([Registered, Added], new RemovePasskey(Phone)).Is(new AccountPasskeyRemoved(Phone));
        When([Registered, Added], new RemovePasskey(Other)).IsRefused(Refusal.PasskeyNotFound);
        When([Registered, Added, new AccountPasskeyRemoved(Phone)], new RemovePasskey(Phone))
            .IsRefused(Refusal.PasskeyNotFound);
    }

    [Fact]
    public void Recovery_codes_go_with_the_last_factor_and_not_before()
    {
        AccountEvent[] given = [Registered, Enrolled, Confirmed, Added, Issued, new AccountTotpRemoved()];
        Assert.Equal(Codes, After(given).Factors.RecoveryCodes);
        var without = After([.. given, new AccountPasskeyRemoved(Phone)]).Factors;
        Assert.Null(without.RecoveryCodes);
        Assert.Empty(without.UnusedCodes);
    }

    static AccountFacts Match(Guid secret, long number) => new(Code: new(secret, number));
}
