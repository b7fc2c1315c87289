using Resources.Grains;

namespace Resources.Api;

/// <summary>The mails that are sent, in one place.</summary>
public sealed class MailTemplates(Mailer mailer, LinkTokens tokens)
{
    /// <summary>Invitations wait for somebody who may be away.</summary>
    static readonly TimeSpan InvitationLife = TimeSpan.FromDays(3);

    public Letter VerifyEmail(AccountSecrets account) =>
        new(
            "verification",
            account.Email,
            "Confirm your e-mail address",
            $"Somebody, probably you, has registered with this address. Confirm it within an hour, with the password that you chose:\n\n{mailer.Link("verify-email", tokens.Create(LinkPurpose.VerifyEmail, account.Id, account.Account.Email, LinkTokens.Life))}\n\nIf it was not you, do nothing."
        );

    public Letter SetPassword(AccountSecrets account) =>
        new(
            "password reset",
            account.Email,
            "Set a new password",
            $"Somebody, probably you, wants to set a new password for your account. Do so within an hour:\n\n{SetPasswordLink(account, LinkTokens.Life)}\n\nIf it was not you, do nothing: your password stays as it is."
        );

    public Letter Invite(AccountSecrets account) =>
        new(
            "invitation",
            account.Email,
            "You are invited",
            $"An account was made for you. Set its password within three days:\n\n{SetPasswordLink(account, InvitationLife)}"
        );

    public static Letter Exists(string email) =>
        new(
            "notice",
            email,
            "You have an account already",
            "Somebody, probably you, has tried to register with this address, which has an account already. If you have forgotten its password, ask for a new one."
        );

    string SetPasswordLink(AccountSecrets account, TimeSpan life) =>
        mailer.Link(
            "set-password",
            tokens.Create(LinkPurpose.SetPassword, account.Id, account.Account.Password ?? Guid.Empty, life)
        );
}
