using System.Globalization;

namespace Resources.Grains;

/// <summary>
/// How a role stands in accounts and tokens: by its name, and from its second making on with the number of that. So a
/// role that is made anew has none of the holders of the one before.
/// </summary>
public static class RoleGrant
{
    /// <summary>No name of a role has it.</summary>
    const char Separator = ':';

    /// <param name="generation">How often a role of this name was made, this one included.</param>
    public static string Of(string name, int generation) =>
        generation <= 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name}{Separator}{generation}");

    /// <summary>The name of the role that is granted.</summary>
    public static string NameOf(string grant) =>
        grant.IndexOf(Separator, StringComparison.Ordinal) is >= 0 and var at ? grant[..at] : grant;
}
