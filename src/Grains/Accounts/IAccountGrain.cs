namespace Resources.Grains;

/// <summary>One account; the key is derived from its e-mail address (<see cref="Account.IdOf"/>), so an address has one account.</summary>
[Alias("resources.IAccountGrain")]
public interface IAccountGrain : IGrainWithGuidKey
{
    /// <summary>Creates the account; null when the address has one already.</summary>
    [Alias("Register")]
    Task<Account?> Register(string email, string passwordHash, string[] roles);

    /// <summary>The account; null when there is none.</summary>
    [Alias("Find")]
    Task<Account?> Find();

    /// <summary>Gives the account other roles; null when there is no such account.</summary>
    [Alias("SetRoles")]
    Task<Account?> SetRoles(string[] roles);
}
