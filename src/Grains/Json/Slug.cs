namespace Resources.Grains;

/// <summary>Names for machines: lower-case letters and digits in words joined by single '-', '_' or '.'.</summary>
public static class Slug
{
    /// <summary>The longest slug.</summary>
    public const int MaxLength = 64;

    /// <summary>A regular expression of every slug, beside its length.</summary>
    public const string Pattern = "^[a-z0-9]+([-_.][a-z0-9]+)*$";

    /// <summary>Whether a text is a slug of 1 to 64 characters.</summary>
    public static bool IsValid(string text)
    {
        if (text.Length is 0 or > MaxLength)
            return false;
        var inWord = false;
        foreach (var c in text)
        {
            if (char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c))
                inWord = true;
            else if (inWord && c is ('-' or '_' or '.'))
                inWord = false;
            else
                return false;
        }
        return inWord;
    }
}
