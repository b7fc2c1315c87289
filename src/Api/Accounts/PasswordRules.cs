using System.Text.RegularExpressions;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Refuses passwords that are long enough but easy to guess.</summary>
public static partial class PasswordRules
{
    public const string Blocked = "PASSWORD_BLOCKED";

    /// <summary>A password that repeats a unit up to this length is no stronger than the unit.</summary>
    const int MaxUnit = 10;

    /// <summary>The least worth of a password without its common words.</summary>
    const int MinWorth = 7;

    /// <summary>Fewer letters and digits than this do not make a pattern.</summary>
    const int MinPattern = 8;

    /// <summary>Signs that commonly replace letters.</summary>
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
    /// Words and phrases common in lists of leaked passwords, and this service's own words; the longest first.
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

    /// <summary>Reports a password that is too easy to guess.</summary>
    /// <param name="email">The account's address; null if not yet known.</param>
    /// <param name="pointer">The password's place in the body.</param>
    public static void Check(string? password, string? email, string pointer, List<Fault> faults)
    {
        if (password is not null && IsBlocked(password, email))
            faults.Report(pointer, Blocked, "The password is too easy to guess. Use a few unrelated words.");
    }

    /// <summary>Whether a password is too easy to guess.</summary>
    public static bool IsBlocked(string password, string? email)
    {
        var text = Undisguised(password);
        if (IsRepeated(password.ToLowerInvariant()) || IsPattern(text) || IsPattern(Plain(password)))
            return true;
        var signs = NotPlain().Matches(password).Select(match => match.Value).Except(Disguises).Count();
        return Worth(Without(text, Words)) + signs < MinWorth
            || email is not null
                && Worth(Without(text, [Undisguised(email), Undisguised(email.Split('@')[0])])) + signs < MinWorth;
    }

    /// <summary>The letters and digits in lower case, with common substitutions reversed.</summary>
    static string Undisguised(string text) =>
        Plain(text.Replace('@', 'a').Replace('$', 's').Replace('0', 'o').Replace('3', 'e'));

    static string Plain(string text) => NotPlain().Replace(text.ToLowerInvariant(), "");

    /// <summary>A text without certain words.</summary>
    static string Without(string text, string[] words) =>
        words
            .Where(word => word.Length > 1)
            .Aggregate(text, (rest, word) => rest.Replace(word, "", StringComparison.Ordinal));

    /// <summary>Digits count half: after a word they are mostly a date or a counter.</summary>
    static int Worth(string text) => (text.Length * 2 - text.Count(char.IsDigit)) / 2;

    static bool IsPattern(string text) =>
        text.Length >= MinPattern && (IsRepeated(text) || Keyboards.Any(row => IsWalk(text, row)));

    static bool IsRepeated(string text)
    {
        for (var unit = 1; unit <= Math.Min(MaxUnit, text.Length / 2); unit++)
            if (text.AsSpan(unit).SequenceEqual(text.AsSpan(0, text.Length - unit)))
                return true;
        return false;
    }

    /// <summary>Whether most of a text follows a row of keys in either direction.</summary>
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
