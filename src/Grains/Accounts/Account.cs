namespace Resources.Grains;

/// <summary>Who may log in. A document and not events: a password hash has no place in a log that others read.</summary>
[GenerateSerializer, Immutable, Alias("account")]
public sealed record Account(Guid Id, string Email, string PasswordHash, string[] Roles, DateTimeOffset CreatedAt)
{
    /// <summary>The form in which addresses are stored and compared.</summary>
    public static string Normalize(string email) => email.Trim().ToLowerInvariant();

    /// <summary>The account id of an address, in whatever form it is given.</summary>
    public static Guid IdOf(string email) => DerivedId.Of("account", Normalize(email));
}
