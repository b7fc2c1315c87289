using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// One check of a value. A run that reports is made only after one that does not: who asks only whether a value is valid
/// pays for no pointer and no text.
/// </summary>
internal sealed partial class SchemaRun(bool isLenient, bool followsScope, List<Fault>? faults = null)
{
    /// <summary>The most steps of a run.</summary>
    public const int MaxSteps = 100_000;

    /// <summary>How much reading of text and names is a step.</summary>
    public const int Unit = 64;

    /// <summary>To read a member and to look for what is said of its name.</summary>
    public const int MemberCost = 8;

    // Frames of a stack. Values are at most 64 deep, and chains of subschemas at each level are short in practice.
    const int MaxDepth = 512;

    long budget = (long)MaxSteps * Unit;
    bool isLenient = isLenient;

    /// <summary>Whether the run ended early: it became too costly, or has reported all that it may.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The steps made so far.</summary>
    public int Steps => (int)(MaxSteps - budget / Unit);

    /// <summary>Whether a value is valid. Faults are reported at pointers below the given one.</summary>
    public bool Check(SchemaNode root, JsonElement value, string pointer) =>
        Check(root, value, faults is null ? null : ValuePlace.Of(pointer), null, null, 0) && !IsOver;

    /// <summary>Takes work from what is left, and says whether there was enough.</summary>
    bool Spend(long work)
    {
        budget -= work;
        if (budget < 0)
            IsOver = true;
        return !IsOver;
    }

    /// <summary>Always false. Reports a fault where there is a place.</summary>
    bool Fail(ValuePlace? place, string code, string detail)
    {
        if (place is null || IsOver)
            return false;
        faults!.Report(place.Pointer(), code, detail);
        IsOver = faults!.Count >= FaultList.Max;
        return false;
    }

    /// <summary>Whether a value is valid; marks what was looked at of its members or items.</summary>
    bool Check(SchemaNode node, JsonElement value, ValuePlace? place, Marks? marks, DynamicScope? scope, int depth)
    {
        if (depth > MaxDepth)
            IsOver = true;
        if (!Spend(Unit))
            return false;
        if (node.Source.ValueKind is not JsonValueKind.Object)
            return !node.TakesNothing || Fail(place, "NOT_ALLOWED", "No value is allowed here.");
        if (followsScope && scope?.Resource != node.Resource)
            scope = new(node.Resource, scope);

        // Looking at what is unevaluated needs marks of one's own, which count for the outer schema too.
        var own = marks;
        var kind = value.ValueKind;
        if (node.UnevaluatedProperties is not null && kind is JsonValueKind.Object)
            own = new(value.GetPropertyCount());
        else if (node.UnevaluatedItems is not null && kind is JsonValueKind.Array)
            own = new(value.GetArrayLength());

        var valid = CheckAnyType(node, value, place);
        if (!valid && place is null)
            return false;
        valid &= kind switch
        {
            JsonValueKind.Object => CheckObject(node, value, place, own, scope, depth),
            JsonValueKind.Array => CheckArray(node, value, place, own, scope, depth),
            JsonValueKind.String => CheckString(node, value, place),
            JsonValueKind.Number => CheckNumber(node, value, place),
            _ => true,
        };
        if (!valid && place is null)
            return false;
        var inPlace = CheckInPlace(node, value, place, own, scope, depth);
        // What a schema that failed has looked at does not count, and reports of it would only repeat the failure.
        if (!inPlace)
            return false;
        if (own != marks && own is not null)
        {
            valid &= CheckUnevaluated(node, value, place, own, scope, depth);
            marks?.Add(own);
        }
        return valid;
    }

    bool CheckAnyType(SchemaNode node, JsonElement value, ValuePlace? place)
    {
        var valid = true;
        if (node.Types is { } types && !IsOf(value, types))
            valid = Fail(place, "TYPE", $"The value must be of type {types.Names()}.");
        if (node.Const is { } constant && !IsConstant(value, constant))
            valid = Fail(place, "CONST", "The value must be the one that the schema names.");
        if (node.Enum is { } values && !IsListed(value, values))
            valid = Fail(place, "ENUM", "The value must be one of those that the schema lists.");
        return valid;
    }

    static bool IsOf(JsonElement value, JsonTypes types)
    {
        var type = value.ValueKind switch
        {
            JsonValueKind.Null => JsonTypes.Null,
            JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
            JsonValueKind.Object => JsonTypes.Object,
            JsonValueKind.Array => JsonTypes.Array,
            JsonValueKind.String => JsonTypes.String,
            _ => JsonTypes.Number,
        };
        return (types & type) == JsonTypes.Integer
            ? JsonNumber.IsInteger(JsonMarshal.GetRawUtf8Value(value))
            : (types & type) != 0;
    }

    bool IsConstant(JsonElement value, JsonElement constant) =>
        Spend(Math.Min(JsonValues.Size(value), JsonValues.Size(constant))) && JsonValues.AreEqual(value, constant);

    bool IsListed(JsonElement value, HashSet<JsonElement> values)
    {
        // A few texts are compared sooner than one is hashed.
        const int Few = 8;
        if (!SpendHash(value))
            return false;
        if (values.Count > Few || value.ValueKind is not JsonValueKind.String)
            return values.Contains(value);
        foreach (var listed in values)
            if (listed.ValueKind is JsonValueKind.String && JsonValues.AreEqual(listed, value))
                return true;
        return false;
    }

    /// <summary>Pays for a hash. Many small values in one take longer than their text.</summary>
    bool SpendHash(JsonElement value) =>
        Spend(JsonValues.Size(value) * (value.ValueKind is JsonValueKind.Array or JsonValueKind.Object ? 4L : 1L));

    bool CheckNumber(SchemaNode node, JsonElement value, ValuePlace? place)
    {
        var number = JsonMarshal.GetRawUtf8Value(value);
        var valid = true;
        if (node.Minimum is { } min && JsonNumber.Compare(number, min) < 0)
            valid = Fail(place, "MINIMUM", $"The number must be at least {Text(min)}.");
        if (node.ExclusiveMinimum is { } above && JsonNumber.Compare(number, above) <= 0)
            valid = Fail(place, "EXCLUSIVE_MINIMUM", $"The number must be greater than {Text(above)}.");
        if (node.Maximum is { } max && JsonNumber.Compare(number, max) > 0)
            valid = Fail(place, "MAXIMUM", $"The number must be at most {Text(max)}.");
        if (node.ExclusiveMaximum is { } below && JsonNumber.Compare(number, below) >= 0)
            valid = Fail(place, "EXCLUSIVE_MAXIMUM", $"The number must be less than {Text(below)}.");
        if (node.MultipleOf is { } divisor && !JsonNumber.IsMultiple(number, divisor))
            valid = Fail(place, "MULTIPLE_OF", $"The number must be a multiple of {Text(divisor)}.");
        return valid;
    }

    static string Text(byte[] number) => Encoding.ASCII.GetString(number);

    bool CheckString(SchemaNode node, JsonElement value, ValuePlace? place)
    {
        if (node is { MinLength: 0, MaxLength: null, Pattern: null, Format: null })
            return true;
        var text = JsonStrings.Of(value);
        if (!Spend(text.Length))
            return false;
        var valid = true;
        var length = node.MinLength > 0 || node.MaxLength is not null ? JsonStrings.Length(text) : 0;
        if (length < node.MinLength && !isLenient)
            valid = Fail(place, "MIN_LENGTH", $"The text must have at least {node.MinLength} characters.");
        if (length > node.MaxLength)
            valid = Fail(place, "MAX_LENGTH", $"The text must have at most {node.MaxLength} characters.");
        if (node.Pattern is { } pattern && !Matches(pattern, text))
            valid = Fail(place, "PATTERN", "The text must match the pattern of the schema.");
        if (node.Format is { } format && !Has(format, text))
            valid = Fail(place, "FORMAT", $"The text must be of the format {node.FormatName}.");
        return valid;
    }

    bool Matches(SchemaPattern pattern, ReadOnlySpan<byte> text)
    {
        // To begin costs something, whatever the text.
        const int Start = 8;
        var matches = pattern.IsMatch(text, ref budget);
        return Spend(Start) && matches;
    }

    static bool Has(Formats.Check format, ReadOnlySpan<byte> utf8)
    {
        const int Short = 256;
        Span<char> text = utf8.Length <= Short ? stackalloc char[Short] : new char[utf8.Length];
        return format(text[..Encoding.UTF8.GetChars(utf8, text)]);
    }
}
