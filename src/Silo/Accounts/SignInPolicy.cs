using System.Diagnostics.CodeAnalysis;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>Which accounts may begin sessions, whatever their owner proves to be.</summary>
public static class SignInPolicy
{
    /// <summary>Accounts that are active and whose e-mail address is verified.</summary>
    public static bool Admits([NotNullWhen(true)] Account? account) =>
        account is { IsActive: true, EmailVerified: true };
}
