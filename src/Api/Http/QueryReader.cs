using System.Globalization;
using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// Reads query parameters and collects their faults. Unknown and repeated parameters were refused by the endpoint's
/// group.
/// </summary>
public sealed class QueryReader(IQueryCollection query)
{
    public QueryReader(HttpRequest request)
        : this(request.Query) { }

    public List<Fault> Faults { get; } = [];

    public string? Text(string name) => query.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>A slug, as types and statuses are.</summary>
    public string? Slug(string name) => Slug(name, Text(name));

    /// <summary>The same for what stands elsewhere in the address.</summary>
    public string? Slug(string name, string? text) =>
        text is null ? null
        : Grains.Slug.IsValid(text) ? text
        : Fail<string>(name, "takes a slug such as 'active'");

    /// <summary>A page size: larger than <paramref name="max"/> is taken as that.</summary>
    public int Limit(int standard, int max)
    {
        if (Text("limit") is not { } text)
            return standard;
        if (text is not "" && text.All(char.IsAsciiDigit) && text.TrimStart('0') is not "")
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
                ? Math.Min(limit, max)
                : max;
        Fail<string>("limit", "takes a whole number from 1");
        return standard;
    }

    /// <summary>A whole number of at least <paramref name="min"/>, in plain digits.</summary>
    public long? Number(string name, long min)
    {
        if (Text(name) is not { } text)
            return null;
        if (
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= min
            && (text.Length is 1 || text[0] is not '0')
        )
            return number;
        Fail<string>(name, $"takes a whole number from {min}");
        return null;
    }

    /// <summary>true or false; false when it is not given.</summary>
    public bool Flag(string name)
    {
        if (Text(name) is not ("true" or "false" or null))
            Fail<string>(name, "takes true or false");
        return Text(name) is "true";
    }

    /// <summary>A day such as 2026-01-31.</summary>
    public DateOnly? Day(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
            return day;
        Fail<string>(name, "takes a day such as 2026-01-31");
        return null;
    }

    /// <summary>An id in its canonical form.</summary>
    public Guid? Id(string name)
    {
        if (Text(name) is not { } text)
            return null;
        if (Ids.TryParse(text, out var id))
            return id;
        Fail<string>(name, "is not one of ours");
        return null;
    }

    /// <summary>Adds a fault to a parameter.</summary>
    public T? Fail<T>(string name, string why)
        where T : class
    {
        Faults.Add(new("?" + name, "INVALID_PARAMETER", $"{name} {why}."));
        return null;
    }
}

/// <summary>Ids as they stand in addresses: lower-case hexadecimal with hyphens, and no other form.</summary>
public static class Ids
{
    public static bool TryParse(string text, out Guid id) =>
        Guid.TryParseExact(text, "D", out id) && text.Length is 36 && !text.AsSpan().ContainsAnyInRange('A', 'F');
}
