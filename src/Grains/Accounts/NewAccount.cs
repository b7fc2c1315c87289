namespace Resources.Grains;

/// <summary>An account to be registered, as earlier releases send it.</summary>
/// <param name="PasswordHash">Null when the owner will set the first password by a link.</param>
[GenerateSerializer, Immutable, Alias("new-account")]
public sealed record NewAccount(string Email, string? PasswordHash, string[] Roles, bool EmailVerified);
