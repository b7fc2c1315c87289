using System.Globalization;

namespace Resources.Grains;

/// <summary>Dates and times of RFC 3339, and the durations of its appendix A.</summary>
internal static class TimeFormats
{
    const int MinutesOfDay = 24 * 60;

    public static bool IsDateTime(ReadOnlySpan<char> text) =>
        text.Length > 11 && text[10] is 'T' or 't' && IsDate(text[..10]) && IsTime(text[11..]);

    public static bool IsDate(ReadOnlySpan<char> text)
    {
        if (text.Length != 10 || text[4] != '-' || text[7] != '-' || !Number(text[..4], out var year))
            return false;
        // The year 0 is a leap year like 2000, and the calendar of the framework lacks it.
        return Number(text.Slice(5, 2), out var month)
            && Number(text[8..], out var day)
            && month is >= 1 and <= 12
            && day >= 1
            && day <= DateTime.DaysInMonth(year is 0 ? 2000 : year, month);
    }

    public static bool IsTime(ReadOnlySpan<char> text)
    {
        if (
            text.Length < 9
            || text[2] != ':'
            || text[5] != ':'
            || !Number(text[..2], out var hour)
            || !Number(text.Slice(3, 2), out var minute)
            || !Number(text.Slice(6, 2), out var second)
            || hour > 23
            || minute > 59
            || second > 60
        )
            return false;
        text = text[8..];
        if (text[0] == '.')
        {
            var digits = text[1..].IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0)
                return false;
            text = text[(1 + digits)..];
        }
        if (Offset(text) is not { } offset)
            return false;
        // A leap second ends a day of UTC.
        return second < 60 || (hour * 60 + minute - offset + MinutesOfDay) % MinutesOfDay == MinutesOfDay - 1;
    }

    public static bool IsDuration(ReadOnlySpan<char> text)
    {
        if (text is not ['P', _, ..])
            return false;
        text = text[1..];
        if (text[^1] == 'W')
            return text.Length > 1 && !text[..^1].ContainsAnyExceptInRange('0', '9');
        var time = text.IndexOf('T');
        var days = time < 0 ? text : text[..time];
        return (days.IsEmpty || AreParts(days, "YMD")) && (time < 0 || AreParts(text[(time + 1)..], "HMS"));
    }

    /// <summary>Whether a text is numbers with units that follow each other without a gap.</summary>
    static bool AreParts(ReadOnlySpan<char> text, string units)
    {
        var last = -1;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExceptInRange('0', '9');
            if (digits <= 0)
                return false;
            var unit = units.IndexOf(text[digits], StringComparison.Ordinal);
            if (unit < 0 || (last >= 0 && unit != last + 1))
                return false;
            last = unit;
            text = text[(digits + 1)..];
        }
        return last >= 0;
    }

    /// <summary>The minutes that a zone is ahead of UTC.</summary>
    static int? Offset(ReadOnlySpan<char> text)
    {
        if (text is "Z" or "z")
            return 0;
        if (
            text.Length != 6
            || text[0] is not ('+' or '-')
            || text[3] != ':'
            || !Number(text.Slice(1, 2), out var hours)
            || !Number(text[4..], out var minutes)
            || hours > 23
            || minutes > 59
        )
            return null;
        return (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
    }

    static bool Number(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
