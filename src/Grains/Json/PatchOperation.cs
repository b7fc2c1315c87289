using System.Text.Json;

namespace Resources.Grains;

/// <summary>One operation of a JSON Patch, complete for its kind.</summary>
internal sealed record PatchOperation(PatchKind Kind, Place Path, Place? From, JsonElement Value)
{
    /// <summary>The places that the operation changes.</summary>
    public IEnumerable<string> Written() =>
        Kind switch
        {
            PatchKind.Test => [],
            PatchKind.Move => [From!.Pointer, Path.Pointer],
            _ => [Path.Pointer],
        };

    /// <summary>
    /// Reads an operation, or returns null and adds its faults. It ignores unknown members (RFC 6902,
    /// section 4).
    /// </summary>
    public static PatchOperation? Read(JsonElement element, string at, List<Fault> faults)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            faults.Report(at, FaultCode.WrongType, "An operation is an object.");
            return null;
        }

        var kind = ReadKind(element, at, faults);
        var path = ReadPlace(element, "path", at, faults);
        var needsFrom = kind is PatchKind.Move or PatchKind.Copy;
        var from = needsFrom ? ReadPlace(element, "from", at, faults) : null;
        var needsValue = kind is PatchKind.Add or PatchKind.Replace or PatchKind.Test;
        var hasValue = element.TryGetProperty("value", out var value);
        if (needsValue && !hasValue)
            faults.Report($"{at}/value", FaultCode.Required, "The operation needs a value, which may be null.");

        return kind is { } known && path is not null && (from is not null || !needsFrom) && (hasValue || !needsValue)
            ? new PatchOperation(known, path, from, value)
            : null;
    }

    static PatchKind? ReadKind(JsonElement element, string at, List<Fault> faults)
    {
        if (ReadText(element, "op", at, faults) is not { } name)
            return null;
        PatchKind? kind = name switch
        {
            "add" => PatchKind.Add,
            "remove" => PatchKind.Remove,
            "replace" => PatchKind.Replace,
            "move" => PatchKind.Move,
            "copy" => PatchKind.Copy,
            "test" => PatchKind.Test,
            _ => null,
        };
        if (kind is null)
            faults.Report(
                $"{at}/op",
                FaultCode.UnknownOperation,
                "The operation has to be add, remove, replace, move, copy or test."
            );
        return kind;
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
