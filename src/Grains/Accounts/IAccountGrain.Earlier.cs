namespace Resources.Grains;

/// <summary>Calls of earlier releases, whose nodes may be in the cluster during an update.</summary>
public partial interface IAccountGrain
{
    [Alias("Register")]
    Task<Reply<Account>> Register(NewAccount account, Intent intent) =>
        Execute(new RegisterAccount(account.Email, account.PasswordHash, account.Roles, account.EmailVerified), intent);

    [Alias("VerifyEmail")]
    Task<Reply<Account>> VerifyEmail(Guid email, Guid? password, Intent intent) =>
        Execute(new VerifyEmail(email, password), intent);

    [Alias("ChangePassword")]
    Task<Reply<Account>> ChangePassword(
        string hash,
        Guid? replaces,
        PasswordMeans means,
        Guid? keptSession,
        Intent intent
    ) => Execute(new ChangePassword(hash, replaces, means, keptSession), intent);

    [Alias("EndSessions")]
    Task<Reply<Account>> EndSessions(Guid? kept, Intent intent) => Execute(new EndSessions(kept), intent);

    [Alias("SetRoles")]
    Task<Reply<Account>> SetRoles(string[] roles, Intent intent) => Execute(new SetAccountRoles(roles), intent);

    [Alias("SetDisabled")]
    Task<Reply<Account>> SetDisabled(bool disabled, Intent intent) => Execute(new SetAccountDisabled(disabled), intent);

    [Alias("Delete")]
    Task<Reply<Account>> Delete(Intent intent) => Execute(new DeleteAccount(), intent);

    [Alias("NoteFailedLogin")]
    Task NoteFailedLogin(string factor, Intent intent) => Execute(new NoteFailedLogin(factor), intent);
}
