using Resources.Grains;

namespace Resources.Api;

/// <summary>The texts of all mails.</summary>
public sealed class MailTemplates(Mailer mailer, LinkTokens tokens)
{
    /// <summary>Longer than other links: the invited person may be away.</summary>
    static readonly TimeSpan InvitationLifetime = TimeSpan.FromDays(3);

    public Letter VerifyEmail(AccountSecrets account)
    {
        var token = tokens.Create(LinkPurpose.VerifyEmail, account.Id, account.Account.Email, LinkTokens.Lifetime);
        return new(
            "verification",
            account.Email,
            "Confirm your e-mail address",
            $"""
            Somebody, probably you, has registered with this address. Confirm it within an hour, with the password that you chose:

            {mailer.Link("verify-email", token)}

            If it was not you, do nothing.
            """
        );
    }

    public Letter SetPassword(AccountSecrets account) =>
        new(
            "password reset",
            account.Email,
            "Set a new password",
            $"""
            Somebody, probably you, wants to set a new password for your account. Do so within an hour:

            {SetPasswordLink(account, LinkTokens.Lifetime)}

            If it was not you, do nothing: your password stays as it is.
            """
        );

    public Letter Invite(AccountSecrets account) =>
        new(
            "invitation",
            account.Email,
            "You are invited",
            $"An account was made for you. Set its password within three days:\n\n{SetPasswordLink(account, InvitationLifetime)}"
        );

    public static Letter Exists(string email) =>
        new(
            "notice",
            email,
            "You have an account already",
            "Somebody, probably you, has tried to register with this address, which has an account already. If you "
                + "have forgotten its password, ask for a new one."
        );

    string SetPasswordLink(AccountSecrets account, TimeSpan lifetime) =>
        mailer.Link(
            "set-password",
            tokens.Create(LinkPurpose.SetPassword, account.Id, account.Account.Password ?? Guid.Empty, lifetime)
        );
}
