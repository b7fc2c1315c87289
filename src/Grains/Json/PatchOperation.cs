using System.Text.Json;

namespace Resources.Grains;

/// <summary>One operation of a JSON Patch, complete for its kind.</summary>
/// <param name="Minimum">The least that an increment may come to.</param>
/// <param name="Maximum">The most that an increment may come to.</param>
internal sealed record PatchOperation(
    PatchKind Kind,
    Place Path,
    Place? From,
    JsonElement Value,
    decimal? Minimum = null,
    decimal? Maximum = null
)
{
    static readonly Dictionary<string, PatchKind> Standard = new(StringComparer.Ordinal)
    {
        ["add"] = PatchKind.Add,
        ["remove"] = PatchKind.Remove,
        ["replace"] = PatchKind.Replace,
        ["move"] = PatchKind.Move,
        ["copy"] = PatchKind.Copy,
        ["test"] = PatchKind.Test,
    };

    static readonly Dictionary<string, PatchKind> Extended = new(Standard, StringComparer.Ordinal)
    {
        ["increment"] = PatchKind.Increment,
        ["addToSet"] = PatchKind.AddToSet,
        ["removeFromSet"] = PatchKind.RemoveFromSet,
    };

    /// <summary>The places that the operation changes.</summary>
    public IEnumerable<string> Written() =>
        Kind switch
        {
            PatchKind.Test => [],
            PatchKind.Move => [From!.Pointer, Path.Pointer],
            _ => [Path.Pointer],
        };

    /// <summary>
    /// Reads an operation, or returns null and adds its faults. It ignores unknown members of operations of RFC 6902, as
    /// its section 4 demands, and refuses those of others: a misspelt bound would be none.
    /// </summary>
    public static PatchOperation? Read(JsonElement element, string at, List<Fault> faults, bool isExtended)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            faults.Report(at, FaultCode.WrongType, "An operation is an object.");
            return null;
        }

        var known = faults.Count;
        var kind = ReadKind(element, at, faults, isExtended ? Extended : Standard);
        var path = ReadPlace(element, "path", at, faults);
        var from = kind is PatchKind.Move or PatchKind.Copy ? ReadPlace(element, "from", at, faults) : null;
        var needsValue = kind is not (null or PatchKind.Remove or PatchKind.Move or PatchKind.Copy);
        if (!element.TryGetProperty("value", out var value) && needsValue)
            faults.Report($"{at}/value", FaultCode.Required, "The operation needs a value, which may be null.");
        decimal? minimum = null,
            maximum = null;
        if (kind is PatchKind.Increment)
        {
            ReadDecimal(element, "value", at, faults);
            minimum = ReadDecimal(element, "minimum", at, faults);
            maximum = ReadDecimal(element, "maximum", at, faults);
            RefuseOthers(element, at, faults, "op", "path", "value", "minimum", "maximum");
        }
        if (kind is PatchKind.AddToSet or PatchKind.RemoveFromSet)
            RefuseOthers(element, at, faults, "op", "path", "value");
        // A list of faults that is full grows no more.
        return faults.Count == known && kind is { } complete && path is not null
            ? new PatchOperation(complete, path, from, value, minimum, maximum)
            : null;
    }

    static PatchKind? ReadKind(JsonElement element, string at, List<Fault> faults, Dictionary<string, PatchKind> kinds)
    {
        if (ReadText(element, "op", at, faults) is not { } name)
            return null;
        if (kinds.TryGetValue(name, out var kind))
            return kind;
        faults.Report(
            $"{at}/op",
            FaultCode.UnknownOperation,
            $"The operation has to be one of {string.Join(", ", kinds.Keys)}."
        );
        return null;
    }

    static decimal? ReadDecimal(JsonElement element, string member, string at, List<Fault> faults)
    {
        if (!element.TryGetProperty(member, out var value))
            return null;
        if (value.ValueKind != JsonValueKind.Number)
            faults.Report($"{at}/{member}", FaultCode.WrongType, "The value has to be a number.");
        else if (JsonNumber.ToDecimal(value) is { } number)
            return number;
        else
            faults.Report($"{at}/{member}", FaultCode.NumberOutOfRange, PatchRun.NoDecimal);
        return null;
    }

    static void RefuseOthers(JsonElement element, string at, List<Fault> faults, params string[] known)
    {
        foreach (var member in element.EnumerateObject())
            if (!known.Contains(member.Name))
                faults.Report(
                    JsonPointer.Append(at, member.Name),
                    FaultCode.UnknownMember,
                    $"The member is not known here; known are {string.Join(", ", known)}."
                );
    }

    static Place? ReadPlace(JsonElement element, string member, string at, List<Fault> faults)
    {
        if (ReadText(element, member, at, faults) is not { } pointer)
            return null;
        if (JsonPointer.Parse(pointer) is { } steps)
            return new Place(pointer, steps);
        faults.Report($"{at}/{member}", FaultCode.InvalidPointer, "The text is not a JSON Pointer.");
        return null;
    }

    static string? ReadText(JsonElement element, string member, string at, List<Fault> faults)
    {
        if (!element.TryGetProperty(member, out var value))
            faults.Report($"{at}/{member}", FaultCode.Required, $"The operation needs '{member}'.");
        else if (value.ValueKind != JsonValueKind.String)
            faults.Report($"{at}/{member}", FaultCode.WrongType, "The value has to be a string.");
        else
            return value.GetString();
        return null;
    }
}
