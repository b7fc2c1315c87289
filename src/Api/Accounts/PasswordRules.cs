using System.Text.RegularExpressions;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Refuses passwords that are long and yet among the first that somebody would try.</summary>
public static partial class PasswordRules
{
    public const string Blocked = "PASSWORD_BLOCKED";

    /// <summary>A unit that is repeated to the required length adds nothing to it.</summary>
    const int LongestUnit = 10;

    /// <summary>What a password must be worth when the words that everybody uses are gone.</summary>
    const int LeastWorth = 7;

    /// <summary>Fewer letters and digits than this say nothing of how the rest was chosen.</summary>
    const int LeastPattern = 8;

    /// <summary>Signs that stand for letters.</summary>
    static readonly string[] Disguises = ["@", "$"];

    static readonly string[] Keyboards =
    [
        "qwertyuiopasdfghjklzxcvbnm",
        "qwertzuiopasdfghjklyxcvbnm",
        "azertyuiopqsdfghjklmwxcvbn",
        "abcdefghijklmnopqrstuvwxyz",
        "01234567890123456789",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    ];

    /// <summary>
    /// Words and phrases of passwords that are found in every list of leaked ones, longest first, and this service's
    /// own.
    /// </summary>
    static readonly string[] Words =
    [
        .. new[]
        {
            "correcthorsebatterystaple",
            "trustno",
            "administrator",
            "passphrase",
            "password",
            "passwort",
            "motdepasse",
            "contrasena",
            "resources",
            "resource",
            "letmein",
            "changeme",
            "welcome",
            "iloveyou",
            "football",
            "baseball",
            "princess",
            "sunshine",
            "superman",
            "starwars",
            "whatever",
            "computer",
            "internet",
            "michelle",
            "charlie",
            "default",
            "dragon",
            "monkey",
            "master",
            "shadow",
            "secret",
            "summer",
            "winter",
            "spring",
            "autumn",
            "login",
            "admin",
            "hello",
            "qwerty",
            "qwertz",
            "azerty",
            "asdfgh",
            "please",
            "access",
            "server",
            "system",
            "mypass",
            "guest",
            "root",
            "user",
            "test",
            "love",
            "pass",
            "this",
            "that",
            "the",
            "is",
            "my",
            "me",
            "abc",
            "xyz",
        }.OrderByDescending(word => word.Length),
    ];

    /// <summary>Reports a password that may not be used.</summary>
    /// <param name="email">The account's address; null when it is not known yet.</param>
    /// <param name="pointer">Where it stands in the body.</param>
    public static void Check(string? password, string? email, string pointer, List<Fault> faults)
    {
        if (password is not null && IsBlocked(password, email))
            faults.Report(
                pointer,
                Blocked,
                "This password is one of those that are tried first. Take a few words that say nothing together."
            );
    }

    /// <summary>Whether a password is too easily thought of.</summary>
    public static bool IsBlocked(string password, string? email)
    {
        var text = Undisguised(password);
        if (IsRepeated(password.ToLowerInvariant()) || IsPattern(text) || IsPattern(Plain(password)))
            return true;
        var signs = NotPlain().Matches(password).Select(match => match.Value).Except(Disguises).Count();
        return Worth(Without(text, Words)) + signs < LeastWorth
            || email is not null
                && Worth(Without(text, [Undisguised(email), Undisguised(email.Split('@')[0])])) + signs < LeastWorth;
    }

    /// <summary>MailTemplates and digits, lower-case, with the usual disguises taken off.</summary>
    static string Undisguised(string text) =>
        Plain(text.Replace('@', 'a').Replace('$', 's').Replace('0', 'o').Replace('3', 'e'));

    static string Plain(string text) => NotPlain().Replace(text.ToLowerInvariant(), "");

    /// <summary>What is left when words are gone.</summary>
    static string Without(string text, string[] words) =>
        words
            .Where(word => word.Length > 1)
            .Aggregate(text, (rest, word) => rest.Replace(word, "", StringComparison.Ordinal));

    /// <summary>Digits count by half: behind a word they are mostly a date or a count.</summary>
    static int Worth(string text) => (text.Length * 2 - text.Count(char.IsDigit)) / 2;

    static bool IsPattern(string text) =>
        text.Length >= LeastPattern && (IsRepeated(text) || Keyboards.Any(row => IsWalk(text, row)));

    static bool IsRepeated(string text)
    {
        for (var unit = 1; unit <= Math.Min(LongestUnit, text.Length / 2); unit++)
            if (text.AsSpan(unit).SequenceEqual(text.AsSpan(0, text.Length - unit)))
                return true;
        return false;
    }

    /// <summary>Whether most of a text goes along a row of keys, either way.</summary>
    static bool IsWalk(string text, string row)
    {
        var steps = 0;
        for (var i = 1; i < text.Length; i++)
            if (
                row.Contains($"{text[i - 1]}{text[i]}", StringComparison.Ordinal)
                || row.Contains($"{text[i]}{text[i - 1]}", StringComparison.Ordinal)
            )
                steps++;
        return steps >= (text.Length - 1) * 3 / 4;
    }

    [GeneratedRegex(@"[^\p{L}\p{N}]")]
    private static partial Regex NotPlain();
}
