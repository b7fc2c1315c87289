using System.Text.RegularExpressions;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Refuses passwords that are long and yet among the first that somebody would try.</summary>
public static partial class PasswordRules
{
    public const string Blocked = "PASSWORD_BLOCKED";

    /// <summary>A unit that is repeated to the required length adds nothing to it.</summary>
    const int LongestUnit = 10;

    /// <summary>What must be left of a password when the words that everybody uses are gone.</summary>
    const int MustRemain = 6;

    static readonly string[] Keyboards = ["qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "abcdefghijklmnopqrstuvwxyz", "01234567890123456789", "1qaz2wsx3edc4rfv5tgb6yhn7ujm"];

    /// <summary>Words and phrases of passwords that are found in every list of leaked ones, longest first, and this service's own.</summary>
    static readonly string[] Words =
    [
        .. new[]
        {
            "correcthorsebatterystaple", "trustno", "administrator", "passphrase", "password", "passwort", "motdepasse", "contrasena", "resources", "resource", "letmein", "changeme", "welcome", "iloveyou", "football", "baseball", "princess",
            "sunshine", "superman", "starwars", "whatever", "computer", "internet", "michelle", "charlie", "default", "dragon", "monkey", "master", "shadow", "secret", "summer", "winter", "spring", "autumn", "login", "admin", "hello",
            "qwerty", "qwertz", "azerty", "asdfgh", "please", "access", "server", "system", "mypass", "guest", "root", "user", "test", "love", "pass", "this", "that", "the", "is", "my", "me", "abc", "xyz",
        }.OrderByDescending(word => word.Length),
    ];

    /// <summary>Reports a password that may not be used.</summary>
    /// <param name="email">The account's address; null when it is not known yet.</param>
    /// <param name="pointer">Where it stands in the body.</param>
    public static void Check(string? password, string? email, string pointer, List<Fault> faults)
    {
        if (password is not null && IsBlocked(password, email)) faults.Report(pointer, Blocked, "This password is one of those that are tried first. Take a few words that say nothing together.");
    }

    /// <summary>Whether a password is too easily thought of.</summary>
    public static bool IsBlocked(string password, string? email)
    {
        var text = Undisguised(password);
        if (text is "" || IsRepeated(password.ToLowerInvariant()) || IsRepeated(text) || Keyboards.Any(row => IsWalk(text, row))) return true;
        if (email is not null && Without(text, [Undisguised(email), Undisguised(email.Split('@')[0])]).Length < MustRemain) return true;
        return Without(text, Words).Length < MustRemain;
    }

    /// <summary>Letters and digits, lower-case, with the usual disguises taken off.</summary>
    static string Undisguised(string text) =>
        NotPlain().Replace(text.ToLowerInvariant().Replace('@', 'a').Replace('$', 's').Replace("0", "o", StringComparison.Ordinal).Replace('3', 'e'), "");

    /// <summary>What is left when words and all digits are gone.</summary>
    static string Without(string text, string[] words)
    {
        foreach (var word in words)
            if (word.Length > 1) text = text.Replace(word, "", StringComparison.Ordinal);
        return Digits().Replace(text, "");
    }

    static bool IsRepeated(string text)
    {
        for (var unit = 1; unit <= Math.Min(LongestUnit, text.Length / 2); unit++)
            if (text.AsSpan(unit).SequenceEqual(text.AsSpan(0, text.Length - unit))) return true;
        return false;
    }

    /// <summary>Whether most of a text goes along a row of keys, either way.</summary>
    static bool IsWalk(string text, string row)
    {
        var steps = 0;
        for (var i = 1; i < text.Length; i++)
            if (row.Contains($"{text[i - 1]}{text[i]}", StringComparison.Ordinal) || row.Contains($"{text[i]}{text[i - 1]}", StringComparison.Ordinal)) steps++;
        return steps >= (text.Length - 1) * 3 / 4;
    }

    [GeneratedRegex(@"[^\p{L}\p{N}]")]
    private static partial Regex NotPlain();

    [GeneratedRegex(@"\p{N}")]
    private static partial Regex Digits();
}
