using System.Text;
using System.Text.Json;

namespace Resources.Domain.Tests;

/// <summary>Patterns on which engines that try again take exponential or polynomial time, with texts that make them.</summary>
public class PatternAttackTests
{
    const int TextLength = 64 * 1024;

    /// <summary>A pattern, the piece that the text repeats, and how the text ends.</summary>
    public static TheoryData<string, string, string> Vulnerable =>
        new()
        {
            // Exponential: nested repetitions, and alternatives that take the same.
            { "^(a+)+$", "a", "!" },
            { "^(a*)*$", "a", "!" },
            { "^(a+)*$", "a", "!" },
            { "^(a|a)*$", "a", "!" },
            { "^(a|aa)+$", "a", "!" },
            { "^(a|a?)+$", "a", "!" },
            { "^(a*)*b$", "a", "c" },
            { "^((a+)+)+$", "a", "!" },
            { "^(?:a{1,5})*$", "a", "!" },
            { "^(([a-z])+.)+[A-Z]([a-z])+$", "a", "" },
            { "^([a-z]+)*[0-9]$", "abc", "" },
            { "^(\\w+\\s?)*$", "word ", "!" },
            { "^(\\d+(,\\d+)*)*;$", "1,1", "" },
            { "^(.*,){1,20}x$", "1,", "" },
            { "^(?:[^,]+,?)+$", "ab", ",," },
            { "(x+x+)+y", "x", "" },
            { "(.*)*x$", "ab", "y" },
            { "^(\\p{L}*)*\\p{N}$", "é", "" },
            { "^(([^\"\\\\]|\\\\.)*)*\"$", "\\a", "" },
            { "^(https?:\\/\\/)?([\\w.-]+\\.?)+\\/$", "a.", "" },
            // Of programs that had to be mended: addresses, names, paths, colours, versions.
            {
                "^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
                "a",
                "!"
            },
            { "^(([a-zA-Z0-9_\\-.]+)@([a-zA-Z0-9\\-]+\\.)+[a-z]+;?)+$", "a@a.a", "!" },
            {
                "^([0-9a-zA-Z]([\\-.\\w]*[0-9a-zA-Z])*@(([0-9a-zA-Z])+([\\-\\w]*[0-9a-zA-Z])*\\.)+[a-zA-Z]{2,9})$",
                "a",
                "!"
            },
            { "^[a-zA-Z]+(([',. \\-][a-zA-Z ])?[a-zA-Z]*)*$", "a", "!" },
            { "^(([a-zA-Z]:)?(\\\\[^<>:\"\\/|?*]+)*)+$", "\\a", "<" },
            { "^(?:(?:#|0x)?(?:[0-9a-f]{2}){1,4})+$", "ab", "g" },
            { "^\\s*(?:v|=)*\\s*\\d+(?:\\.\\d+)*(?:-[\\w.]+)*(?:\\+[\\w.]+)*\\s*$", "1.1-a", "!" },
            { "^(?:-?[a-z0-9]+)+(?:\\.[a-z]{2,})+$", "a0", "_" },
            { "(?:\\{[^}]*\\}?)*\\}$", "{", "" },
            { "^(?:[\\t ]*(?:\\r?\\n)?)*x$", " \n", "" },
            // Polynomial: a search that begins anew at each character, and repetitions beside each other.
            { "\\s+$", " ", "a" },
            { "a*a*a*a*b$", "a", "c" },
            { "[\\s\\S]*[\\s\\S]*x$", "a", "" },
            { "^.*a.*a.*a.*a.*b$", "a", "" },
            { "<!--.*?-->$", "<!--", "" },
            { "\\d+\\d+\\d+[a-z]$", "1", "" },
            { "(?:\\w+\\.)+\\w+@$", "a.", "" },
            { "=\"[^\"]*\"\\s*>$", "=\"", "" },
            { "^ *(\\S+ +)*\\S+ *:$", "a ", "" },
            { "[a-z]+ing\\b.*[a-z]+ed$", "ing ", "" },
            // Wide instead: many states that are all possible at a time.
            { "(a{0,30}){0,30}$", "a", "!" },
            { "^((a?){50}){50}$", "a", "!" },
            { "^(((a?){20}){20}){20}b$", "a", "" },
            { "a{9990}$", "a", "!" },
            { "(.{0,90}){100}$", "é", "" },
            { "(\\b|\\B|^|){99}\\p{Lu}$", "é ", "" },
        };

    [Theory]
    [MemberData(nameof(Vulnerable))]
    public void Pattern_costs_no_more_than_the_steps_allow(string pattern, string piece, string end)
    {
        var text = new StringBuilder();
        while (text.Length < TextLength)
            text.Append(piece);
        text.Append(end);
        var schema = $$"""{"pattern":{{JsonSerializer.Serialize(pattern)}}}""";
        var cost = Cost.Of(schema, JsonSerializer.Serialize(text.ToString()));
        Assert.NotEqual("", cost.Faults);
        cost.IsBounded();
    }
}
