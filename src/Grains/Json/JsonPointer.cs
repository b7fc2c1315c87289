namespace Resources.Grains;

/// <summary>JSON Pointers (RFC 6901) as strings: each location has exactly one spelling.</summary>
public static class JsonPointer
{
    /// <summary>The pointer one step below <paramref name="pointer"/>.</summary>
    public static string Append(string pointer, string token) =>
        token.AsSpan().ContainsAny('~', '/')
            ? $"{pointer}/{token.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}"
            : $"{pointer}/{token}";

    /// <summary>The unescaped steps of a pointer, or null when it is not one.</summary>
    public static string[]? Parse(string pointer)
    {
        if (pointer.Length == 0)
            return [];
        if (pointer[0] != '/')
            return null;
        for (var i = pointer.IndexOf('~', StringComparison.Ordinal); i >= 0; i = pointer.IndexOf('~', i + 1))
            if (i + 1 == pointer.Length || pointer[i + 1] is not ('0' or '1'))
                return null;

        var steps = pointer[1..].Split('/');
        for (var i = 0; i < steps.Length; i++)
            if (steps[i].Contains('~', StringComparison.Ordinal))
                // ~1 first: "~01" means "~1", not "/".
                steps[i] = steps[i]
                    .Replace("~1", "/", StringComparison.Ordinal)
                    .Replace("~0", "~", StringComparison.Ordinal);
        return steps;
    }

    /// <summary>
    /// The array index a step denotes: digits without leading zeros, below <paramref name="count"/>; else -1.
    /// </summary>
    internal static int Index(string step, int count)
    {
        if (step.Length is 0 or > 9 || (step[0] == '0' && step.Length > 1))
            return -1;
        var index = 0;
        foreach (var c in step)
        {
            if (!char.IsAsciiDigit(c))
                return -1;
            index = index * 10 + (c - '0');
        }
        return index < count ? index : -1;
    }
}
