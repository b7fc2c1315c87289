using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>Reads the operations of a migration, and reports every fault they have.</summary>
/// <param name="schema">That of the new definition; null where what the operations lead to is not looked at.</param>
sealed class MigrationReader(Schema? schema, List<Fault> faults)
{
    const string Root = "/migration";

    /// <summary>A migration as it is stored.</summary>
    public Migration? Read(JsonText text) => Read(text, Migration.ListIn(text));

    /// <summary>A migration as it was sent; null where there is none, and where it is faulty.</summary>
    public Migration? Read(JsonElement given)
    {
        if (given.ValueKind is not JsonValueKind.Array)
            faults.Report(Root, FaultCode.WrongType, "The value has to be a list.");
        else if (given.GetArrayLength() > Migration.MaxSteps)
            faults.Report(
                Root,
                FaultCode.TooManyOperations,
                $"A migration may have at most {Migration.MaxSteps} operations."
            );
        else if (given.GetArrayLength() > 0)
        {
            var text = JsonText.From(
                JsonNodes.ToElement(new JsonObject { [Migration.Operations] = JsonNodes.From(given) })
            );
            if (text.Utf8.Length <= Migration.MaxBytes)
                return Read(text);
            faults.Report(Root, FaultCode.TooLarge, $"A migration may have at most {Migration.MaxBytes} bytes.");
        }
        return null;
    }

    Migration? Read(JsonText text, JsonElement operations)
    {
        var known = faults.Count;
        var steps = operations
            .EnumerateArray()
            .Select((operation, index) => Step(operation, $"{Root}/{index}"))
            .OfType<MigrationStep>()
            .ToArray();
        if (faults.Count == known)
            CheckTargets(steps);
        return faults.Count == known ? new(text, steps) : null;
    }

    MigrationStep? Step(JsonElement operation, string at)
    {
        var reader = new ObjectReader(operation, faults, at);
        var kind = reader.Text("op", 1, 64);
        var path = Place(reader, at, "path", ofStatus: kind is "map");
        MigrationStep? step = kind switch
        {
            "move" => ReadMove(reader, at, path),
            "convert" => ReadConvert(reader, at, path),
            "default" => ReadDefault(reader, path),
            "remove" => path is null ? null : new RemoveStep(path),
            "map" => ReadMap(reader, at, path),
            _ => null,
        };
        if (kind is "move" or "convert" or "default" or "remove" or "map")
            reader.RefuseOthers();
        else if (kind is not null)
            faults.Report(
                at + "/op",
                FaultCode.UnknownOperation,
                "The operation has to be move, convert, default, remove or map."
            );
        return step;
    }

    MigrationStep? ReadMove(ObjectReader reader, string at, string? path)
    {
        var from = Place(reader, at, "from", ofStatus: false);
        if (path is null || from is null)
            return null;
        if (from == path || from.StartsWith(path + "/", StringComparison.Ordinal))
            faults.Report(at + "/path", FaultCode.MoveIntoItself, "Something is there already: what is to be moved.");
        return new MoveStep(from, path);
    }

    MigrationStep? ReadConvert(ObjectReader reader, string at, string? path)
    {
        var to = reader.Text("to", 1, 64);
        if (to is not null && !ConvertStep.Types.Contains(to))
            faults.Report(
                at + "/to",
                "UNKNOWN_VALUE",
                $"The type has to be one of {string.Join(", ", ConvertStep.Types)}."
            );
        return path is null || to is null ? null : new ConvertStep(path, to);
    }

    static MigrationStep? ReadDefault(ObjectReader reader, string? path) =>
        reader.Any("value") is { } value && path is not null ? new DefaultStep(path, value) : null;

    MigrationStep? ReadMap(ObjectReader reader, string at, string? path)
    {
        if (reader.Any("values") is not { } given)
            return null;
        var values = new Dictionary<string, JsonElement>();
        if (given.ValueKind is not JsonValueKind.Object)
            faults.Report(at + "/values", FaultCode.WrongType, "The value has to be an object.");
        else if (given.GetPropertyCount() is 0)
            faults.Report(at + "/values", FaultCode.TooShort, "Name a value at least.");
        else if (given.GetPropertyCount() > MapStep.MaxValues)
            faults.Report(at + "/values", FaultCode.TooLarge, $"There may be at most {MapStep.MaxValues} of them.");
        else
            foreach (var value in given.EnumerateObject())
            {
                values[value.Name] = value.Value;
                if (
                    path is "/status"
                    && (value.Value.ValueKind is not JsonValueKind.String || !Slug.IsValid(value.Value.GetString()!))
                )
                    faults.Report(
                        JsonPointer.Append(at + "/values", value.Name),
                        FaultCode.InvalidSlug,
                        "A status is a slug."
                    );
            }
        return path is null ? null : new MapStep(path, values);
    }

    /// <summary>A pointer of an operation; null where it is faulty.</summary>
    string? Place(ObjectReader reader, string at, string member, bool ofStatus)
    {
        if (reader.Text(member, 1, TypeDefinition.MaxPointer) is not { } pointer)
            return null;
        switch (JsonPointer.Parse(pointer))
        {
            case null:
                faults.Report($"{at}/{member}", FaultCode.InvalidPointer, "The value has to be a JSON Pointer.");
                return null;
            case ["status"] when ofStatus:
                return pointer;
            case ["metadata", _, ..] and var steps:
                if (!steps.Contains("*"))
                    return pointer;
                faults.Report($"{at}/{member}", "UNSUPPORTED", "Operations on every item of a list are not supported.");
                return null;
            default:
                faults.Report(
                    $"{at}/{member}",
                    "UNKNOWN_MEMBER_PATH",
                    ofStatus
                        ? "The pointer has to be /status, or lead below /metadata."
                        : "The pointer has to lead below /metadata."
                );
                return null;
        }
    }

    /// <summary>What is put where the new schema describes nothing, and stays there, is a slip of the pen.</summary>
    void CheckTargets(MigrationStep[] steps)
    {
        foreach (var (index, step) in steps.Index())
            if (
                step is MoveStep or DefaultStep
                && schema?.Describes(step.Path["/metadata".Length..]) is false
                && !steps.Skip(index + 1).Any(later => later.Emptied is { } emptied && IsIn(step.Path, emptied))
            )
                faults.Report(
                    $"{Root}/{index}/path",
                    "UNKNOWN_MEMBER_PATH",
                    "The new schema describes no such member."
                );
    }

    static bool IsIn(string pointer, string place) =>
        pointer == place
        || pointer.StartsWith(place + "/", StringComparison.Ordinal)
        || place.StartsWith(pointer + "/", StringComparison.Ordinal);
}
