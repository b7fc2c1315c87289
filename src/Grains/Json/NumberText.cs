using System.Text;
using System.Text.RegularExpressions;

namespace Resources.Grains;

/// <summary>Numbers of JSON that stand alone, outside a body.</summary>
public static partial class NumberText
{
    /// <summary>Whether a text is spelled as a number of JSON.</summary>
    public static bool IsNumber(string text) => Spelling().IsMatch(text);

    /// <summary>
    /// Whether clients and the store can keep a number, which would else be refused in a body. The text has to be one.
    /// </summary>
    public static bool Survives(string number) => JsonNumber.Survives(Encoding.ASCII.GetBytes(number));

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Spelling();
}
