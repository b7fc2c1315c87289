using System.Globalization;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// Binds the members of a JSON object that came through <see cref="StrictJson"/> and collects every fault. A method
/// answers null when its member is absent or faulty; whoever binds looks at the faults once, at the end.
/// </summary>
public sealed class ObjectReader
{
    readonly JsonElement element;
    readonly List<Fault> faults;
    readonly string at;
    readonly bool isObject;
    readonly List<string> asked = new(8);
    int found;

    /// <param name="element">What should be an object.</param>
    /// <param name="faults">Where faults go.</param>
    /// <param name="at">The pointer of the element, when it is not the whole body.</param>
    public ObjectReader(JsonElement element, List<Fault> faults, string at = "")
    {
        this.element = element;
        this.faults = faults;
        this.at = at;
        isObject = element.ValueKind == JsonValueKind.Object;
        if (!isObject)
            faults.Report(at, FaultCode.WrongType, "The value has to be an object.");
    }

    /// <summary>A string of <paramref name="min"/> to <paramref name="max"/> Unicode scalar values.</summary>
    public string? Text(string name, int min, int max, bool optional = false) =>
        Find(name, JsonValueKind.String, optional)?.GetString() is { } text && IsBounded(text, min, max, name)
            ? text
            : null;

    /// <summary>A slug, see <see cref="Grains.Slug"/>.</summary>
    public string? Slug(string name, bool optional = false)
    {
        if (Find(name, JsonValueKind.String, optional)?.GetString() is not { } text)
            return null;
        if (Grains.Slug.IsValid(text))
            return text;
        Report(
            name,
            FaultCode.InvalidSlug,
            $"The value has to be 1 to {Grains.Slug.MaxLength} lower-case letters or digits, in words joined by single '-', '_' or '.'."
        );
        return null;
    }

    /// <summary>true or false.</summary>
    public bool? Flag(string name, bool optional = false) => Find(name, JsonValueKind.True, optional)?.GetBoolean();

    /// <summary>An object of any members.</summary>
    public JsonText? Object(string name, bool optional = false) =>
        Find(name, JsonValueKind.Object, optional) is { } value ? JsonText.From(value) : null;

    /// <summary>An object of known members, to be read in turn.</summary>
    public ObjectReader? Nested(string name, bool optional = false) =>
        Find(name, JsonValueKind.Object, optional) is { } value ? new ObjectReader(value, faults, Pointer(name)) : null;

    /// <summary>A member of any kind, to be read by who asks; null too is a value.</summary>
    public JsonElement? Any(string name, bool optional = false)
    {
        asked.Add(name);
        if (isObject && element.TryGetProperty(name, out var value))
        {
            found++;
            return value;
        }
        if (isObject && !optional)
            Report(name, FaultCode.Required, "The member is required.");
        return null;
    }

    /// <summary>A whole number from <paramref name="min"/> to <paramref name="max"/>.</summary>
    public int? Number(string name, int min, int max, bool optional = false)
    {
        if (Find(name, JsonValueKind.Number, optional) is not { } value)
            return null;
        if (value.TryGetInt32(out var number) && number >= min && number <= max)
            return number;
        Report(name, FaultCode.NumberOutOfRange, $"The value has to be a whole number from {min} to {max}.");
        return null;
    }

    /// <summary>A whole number of 64 bits.</summary>
    public long? Long(string name, bool optional = false)
    {
        if (Find(name, JsonValueKind.Number, optional) is not { } value)
            return null;
        if (value.TryGetInt64(out var number))
            return number;
        Report(name, FaultCode.NumberOutOfRange, "The value has to be a whole number.");
        return null;
    }

    /// <summary>A time, see <see cref="Rfc3339"/>.</summary>
    public DateTimeOffset? Time(string name, bool optional = false)
    {
        if (Find(name, JsonValueKind.String, optional)?.GetString() is not { } text)
            return null;
        if (Rfc3339.TryParse(text, out var time))
            return time;
        Report(name, FaultCode.InvalidTime, "The value must be a time such as 2026-01-31T12:00:00Z.");
        return null;
    }

    /// <summary>
    /// A list of at most <paramref name="most"/> strings, each of <paramref name="min"/> to <paramref name="max"/>
    /// Unicode scalar values.
    /// </summary>
    public IReadOnlyList<string>? Strings(
        string name,
        int min = 1,
        int max = 255,
        int most = 100,
        bool optional = false
    )
    {
        if (Find(name, JsonValueKind.Array, optional) is not { } list)
            return null;
        if (list.GetArrayLength() > most)
        {
            Report(name, FaultCode.TooLong, $"The list may have at most {most} items.");
            return null;
        }

        var texts = new List<string>(list.GetArrayLength());
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.String)
                ReportKind(Pointer(name, index), item, JsonValueKind.String);
            else if (item.GetString()! is var text && IsBounded(text, min, max, name, index))
                texts.Add(text);
            index++;
        }
        return texts.Count == index ? texts : null;
    }

    /// <summary>Whether a member is there with the value null; it then counts as asked for.</summary>
    public bool IsNull(string name)
    {
        if (!isObject || !element.TryGetProperty(name, out var value) || value.ValueKind is not JsonValueKind.Null)
            return false;
        asked.Add(name);
        found++;
        return true;
    }

    /// <summary>Makes every member that was not asked for a fault.</summary>
    /// <param name="advice">What somebody who sends one may have meant.</param>
    public void RefuseOthers(string? advice = null)
    {
        if (!isObject || element.GetPropertyCount() == found)
            return;
        foreach (var member in element.EnumerateObject())
            if (!asked.Contains(member.Name))
                Report(
                    member.Name,
                    FaultCode.UnknownMember,
                    $"The member is not known here; known are {string.Join(", ", asked)}.{advice}"
                );
    }

    JsonElement? Find(string name, JsonValueKind kind, bool optional)
    {
        asked.Add(name);
        if (!isObject)
            return null;
        if (!element.TryGetProperty(name, out var value))
        {
            if (!optional)
                Report(name, FaultCode.Required, "The member is required.");
            return null;
        }
        found++;
        if (value.ValueKind == kind || kind is JsonValueKind.True && value.ValueKind is JsonValueKind.False)
            return value;
        ReportKind(Pointer(name), value, kind);
        return null;
    }

    bool IsBounded(string text, int min, int max, string name, int? index = null)
    {
        var length = StrictJson.ScalarLength(text);
        if (length < min)
            faults.Report(Pointer(name, index), FaultCode.TooShort, $"The text has to have at least {min} characters.");
        else if (length > max)
            faults.Report(Pointer(name, index), FaultCode.TooLong, $"The text may have at most {max} characters.");
        return length >= min && length <= max;
    }

    void ReportKind(string pointer, JsonElement value, JsonValueKind kind)
    {
        if (value.ValueKind == JsonValueKind.Null)
            faults.Report(pointer, FaultCode.NullNotAllowed, "The value may not be null.");
        else
            faults.Report(pointer, FaultCode.WrongType, $"The value has to be {Named(kind)}.");
    }

    void Report(string name, string code, string detail) => faults.Report(Pointer(name), code, detail);

    string Pointer(string name, int? index = null)
    {
        var pointer = JsonPointer.Append(at, name);
        return index is { } i ? JsonPointer.Append(pointer, i.ToString(CultureInfo.InvariantCulture)) : pointer;
    }

    static string Named(JsonValueKind kind) =>
        kind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            JsonValueKind.Number => "a number",
            JsonValueKind.True => "true or false",
            _ => "a string",
        };
}
