using Resources.Grains;
using static Resources.Domain.Tests.AccountScenario;

namespace Resources.Domain.Tests;

/// <summary>The commands of an account: given events, when a command, then events or a refusal.</summary>
public class AccountDecisionTests
{
    static readonly Guid Kept = new(7, 0, 0, new byte[8]);

    static readonly AccountEvent Verified = new AccountEmailVerified();
    static readonly AccountEvent Disabled = new AccountDisabled();
    static readonly AccountEvent Enabled = new AccountEnabled();
    static readonly AccountEvent Deleted = new AccountDeleted();

    [Fact]
    public void A_registration_names_the_secrets_in_the_vault() =>
        When([], new RegisterAccount("a@example.org", "hash", ["user"], false), new(Email: Email, Secret: Password))
            .Is(new AccountRegistered(Email, Password, ["user"], false));

    [Fact]
    public void A_registration_without_a_password_names_none() =>
        When([], new RegisterAccount("a@example.org", null, ["admin"], true), new(Email: Email))
            .Is(new AccountRegistered(Email, null, ["admin"], true));

    [Fact]
    public void An_account_is_registered_once() =>
        When([Registered], new RegisterAccount("a@example.org", "hash", ["user"], false), new(Email: Other))
            .IsRefused(Refusal.AlreadyExists);

    [Fact]
    public void A_deleted_account_is_not_registered_again() =>
        When([Registered, Deleted], new RegisterAccount("a@example.org", null, ["user"], false), new(Email: Other))
            .IsRefused(Refusal.AccountNotFound);

    [Fact]
    public void A_token_verifies_the_address_and_password_that_it_was_issued_for() =>
        When([Registered], new VerifyEmail(Email, Password)).Is(new AccountEmailVerified());

    [Fact]
    public void A_token_does_not_verify_another_address() =>
        When([Registered], new VerifyEmail(Other, Password)).IsRefused(Refusal.TokenSpent);

    [Fact]
    public void Another_registration_voids_the_token_of_the_first()
    {
        AccountEvent[] given = [Registered, new AccountPasswordChanged(Other, "registration", null)];
        When(given, new VerifyEmail(Email, Password)).IsRefused(Refusal.TokenSpent);
        When(given, new VerifyEmail(Email, Other)).Is(new AccountEmailVerified());
    }

    [Fact]
    public void Verification_of_a_verified_address_changes_nothing_even_after_a_change_of_the_password()
    {
        When([Registered, Verified], new VerifyEmail(Email, Password)).IsNothing();
        When(
                [Registered, Verified, new AccountPasswordChanged(Other, "change", null)],
                new VerifyEmail(Email, Password)
            )
            .IsNothing();
    }

    [Fact]
    public void A_change_of_the_password_keeps_the_session_that_asks_for_it() =>
        When(
                [Registered, Verified],
                new ChangePassword("hash", Password, PasswordMeans.Change, Kept),
                new(Secret: Other)
            )
            .Is(new AccountPasswordChanged(Other, "change", Kept));

    [Fact]
    public void A_first_password_replaces_none()
    {
        AccountEvent[] invited = [new AccountRegistered(Email, null, ["user"], false)];
        When(invited, new ChangePassword("hash", null, PasswordMeans.Change, null), new(Secret: Other))
            .Is(new AccountPasswordChanged(Other, "change", null));
        When(invited, new ChangePassword("hash", Password, PasswordMeans.Change, null), new(Secret: Other))
            .IsRefused(Refusal.TokenSpent);
    }

    [Theory]
    [InlineData(PasswordMeans.Change)]
    [InlineData(PasswordMeans.Reset)]
    [InlineData(PasswordMeans.Rehash)]
    [InlineData(PasswordMeans.Registration)]
    public void The_later_of_two_concurrent_password_changes_is_refused(PasswordMeans means) =>
        When(
                [Registered, new AccountPasswordChanged(Other, "change", null)],
                new ChangePassword("hash", Password, means, null),
                new(Secret: Kept)
            )
            .IsRefused(Refusal.TokenSpent);

    [Fact]
    public void A_reset_verifies_the_address_and_keeps_no_session() =>
        When([Registered], new ChangePassword("hash", Password, PasswordMeans.Reset, null), new(Secret: Other))
            .Is(new AccountPasswordChanged(Other, "reset", null), new AccountEmailVerified());

    [Fact]
    public void A_reset_of_a_verified_account_only_changes_the_password() =>
        When(
                [Registered, Verified],
                new ChangePassword("hash", Password, PasswordMeans.Reset, null),
                new(Secret: Other)
            )
            .Is(new AccountPasswordChanged(Other, "reset", null));

    [Fact]
    public void Another_registration_replaces_the_password_until_the_address_is_verified()
    {
        var again = new ChangePassword("hash", Password, PasswordMeans.Registration, null);
        When([Registered], again, new(Secret: Other)).Is(new AccountPasswordChanged(Other, "registration", null));
        When([Registered, Verified], again, new(Secret: Other)).IsRefused(Refusal.AlreadyExists);
    }

    [Fact]
    public void A_new_hash_of_the_same_password_ends_no_session()
    {
        When([Registered], new ChangePassword("hash", Password, PasswordMeans.Rehash, null), new(Secret: Other))
            .Is(new AccountPasswordChanged(Other, "rehash", null));
        var account = After([Registered, new AccountPasswordChanged(Other, "rehash", null)]);
        Assert.True(account.Allows(Guid.Empty, begun: 1));
        Assert.Equal(Other, account.Password);
    }

    [Fact]
    public void The_owner_ends_all_sessions_except_one()
    {
        When([Registered], new EndSessions(Kept)).Is(new AccountSessionsEnded(Kept));
        When([Registered], new EndSessions(null)).Is(new AccountSessionsEnded(null));
    }

    public static TheoryData<AccountEvent> EndsSessions =>
        [new AccountSessionsEnded(Kept), new AccountPasswordChanged(Other, "change", Kept)];

    [Theory, MemberData(nameof(EndsSessions))]
    public void Earlier_sessions_end_except_the_kept_one_and_later_ones_go_on(AccountEvent end)
    {
        var account = After([Registered, Verified, end]);
        Assert.False(account.Allows(Guid.Empty, begun: 2));
        Assert.True(account.Allows(Kept, begun: 2));
        Assert.True(account.Allows(Guid.Empty, begun: 3));
    }

    [Fact]
    public void Roles_are_replaced_where_they_differ()
    {
        When([Registered], new SetAccountRoles(["author", "user"])).Is(new AccountRolesChanged(["author", "user"]));
        When([Registered], new SetAccountRoles([])).Is(new AccountRolesChanged([]));
    }

    [Fact]
    public void The_same_roles_in_any_order_change_nothing() =>
        When([Registered, new AccountRolesChanged(["author", "user"])], new SetAccountRoles(["user", "author"]))
            .IsNothing();

    [Fact]
    public void An_account_is_disabled_once()
    {
        When([Registered], new SetAccountDisabled(true)).Is(new AccountDisabled());
        When([Registered, Disabled], new SetAccountDisabled(true)).IsNothing();
    }

    [Fact]
    public void Only_a_disabled_account_is_enabled()
    {
        When([Registered], new SetAccountDisabled(false)).IsNothing();
        When([Registered, Disabled], new SetAccountDisabled(false)).Is(new AccountEnabled());
        When([Registered, Disabled, Enabled], new SetAccountDisabled(false)).IsNothing();
    }

    [Fact]
    public void A_disabled_account_allows_no_session_and_an_enabled_one_only_new_ones()
    {
        Assert.False(After([Registered, Disabled]).Allows(Guid.Empty, begun: 2));
        var account = After([Registered, Disabled, Enabled]);
        Assert.False(account.Allows(Guid.Empty, begun: 1));
        Assert.True(account.Allows(Guid.Empty, begun: 3));
    }

    [Fact]
    public void An_account_is_deleted_once()
    {
        When([Registered], new DeleteAccount()).Is(new AccountDeleted());
        When([Registered, Deleted], new DeleteAccount()).IsRefused(Refusal.AccountNotFound);
    }

    [Fact]
    public void A_deleted_account_has_no_role_password_factor_or_session()
    {
        var account = After([Registered, new AccountPasskeyAdded(Other, Kept, 0), Deleted]);
        Assert.Empty(account.Roles);
        Assert.Null(account.Password);
        Assert.Equal(Factors.None, account.Factors);
        Assert.False(account.Allows(Guid.Empty, begun: 3));
    }

    [Theory]
    [InlineData("password")]
    [InlineData("totp")]
    public void A_failed_login_is_recorded_with_its_factor(string factor) =>
        When([Registered], new NoteFailedLogin(factor)).Is(new AccountLoginFailed(factor));

    [Fact]
    public void Every_command_of_a_missing_or_deleted_account_is_refused()
    {
        foreach (var command in Commands.Where(command => command is not RegisterAccount))
        {
            When([], command).IsRefused(Refusal.AccountNotFound);
            When([Registered, Deleted], command).IsRefused(Refusal.AccountNotFound);
        }
    }

    [Fact]
    public void The_samples_have_every_command_of_an_account() =>
        Assert.Equal(
            typeof(AccountCommand)
                .Assembly.GetTypes()
                .Where(type => type.IsSubclassOf(typeof(AccountCommand)) && !type.IsAbstract)
                .Select(type => type.Name)
                .Order(),
            Commands.Select(command => command.GetType().Name).Order()
        );

    [Fact]
    public void The_text_of_a_command_is_its_name_without_its_secrets() =>
        Assert.All(Commands, command => Assert.Equal(command.GetType().Name, $"{command}"));

    [Fact]
    public void An_account_names_all_secrets_that_it_uses()
    {
        Assert.Equal([Email], After([new AccountRegistered(Email, null, [], false)]).Secrets());
        Assert.Equal(
            [Email, Password, Other, Kept, Phone],
            After([
                    Registered,
                    new AccountTotpEnrolled(Other),
                    new AccountRecoveryCodesIssued(Kept, 3),
                    new AccountPasskeyAdded(Kept, Phone, 0),
                ])
                .Secrets()
        );
    }
}
