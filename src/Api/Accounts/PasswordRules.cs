using System.Text.RegularExpressions;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Refuses passwords that are long enough but easy to guess.</summary>
public static partial class PasswordRules
{
    public const string Blocked = "PASSWORD_BLOCKED";

    /// <summary>A password that repeats a unit up to this length is no stronger than the unit.</summary>
    const int MaxUnit = 10;

    /// <summary>The least worth of a password: the decimal digits of the guesses that find it.</summary>
    const double MinWorth = 7;

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

    /// <summary>Words of this service, and what else is worth nothing in a password, beside the common words.</summary>
    static readonly string[] Worthless =
    [
        "correcthorsebatterystaple",
        "passphrase",
        "passwort",
        "motdepasse",
        "contrasena",
        "resources",
        "resource",
        "changeme",
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
        string[] own = email is null ? [] : [email, email.Split('@')[0]];
        return Forms(password)
                .Min(form => Worth(form, [.. Worthless, .. own.SelectMany(Forms).Where(word => word.Length > 1)]))
                + signs
            < MinWorth;
    }

    /// <summary>The letters and digits in lower case: as they are, and with substitutions reversed.</summary>
    static string[] Forms(string text) => [Plain(text), Undisguised(text), Bare(Undisguised(text))];

    /// <summary>Without the substitutions that are common in passwords.</summary>
    static string Undisguised(string text) =>
        Plain(text.Replace('@', 'a').Replace('$', 's').Replace('0', 'o').Replace('3', 'e'));

    /// <summary>Without those that are less common, and often numbers.</summary>
    static string Bare(string text) => text.Replace('1', 'i').Replace('4', 'a').Replace('5', 's').Replace('7', 't');

    static string Plain(string text) => NotPlain().Replace(text.ToLowerInvariant(), "");

    /// <summary>
    /// The decimal digits of the guesses that find a text, put together in the cheapest way from common words and single
    /// letters and digits. Digits count half: after a word they are mostly a date or a counter.
    /// </summary>
    /// <param name="worthless">Words that cost nothing.</param>
    static double Worth(string text, string[] worthless)
    {
        var costs = new double[text.Length + 1];
        for (var end = 1; end <= text.Length; end++)
        {
            var before = text.AsSpan(0, end);
            var least = costs[end - 1] + (char.IsDigit(text[end - 1]) ? 0.5 : 1);
            for (var length = 2; length <= Math.Min(end, CommonWords.MaxLength); length++)
                if (CommonWords.Cost(before[^length..]) is { } cost)
                    least = Math.Min(least, costs[end - length] + cost);
            foreach (var word in worthless)
                if (before.EndsWith(word, StringComparison.Ordinal))
                    least = Math.Min(least, costs[end - word.Length]);
            costs[end] = least;
        }
        return costs[^1];
    }

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
