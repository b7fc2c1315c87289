using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>One run of a migration over one resource.</summary>
sealed class MigrationRun(string status, JsonText metadata, List<Fault> faults)
{
    readonly JsonObject members = (JsonObject)JsonNodes.From(metadata.ToElement())!;
    string? mapped;
    bool isTouched;

    public (string Status, JsonText Metadata) Through(IEnumerable<MigrationStep> steps)
    {
        var known = faults.Count;
        foreach (var step in steps)
            Run(step);
        var migrated = isTouched ? JsonText.From(JsonNodes.ToElement(members)) : metadata;
        if (isTouched && !StrictJson.FitsStore(migrated.Utf8.Span))
            faults.Report("/metadata", FaultCode.TooLarge, "The metadata would be larger than 1 MiB.");
        return faults.Count == known ? (mapped ?? status, migrated) : (status, metadata);
    }

    void Run(MigrationStep step)
    {
        if (step is MapStep { Path: "/status", Values: var statuses })
        {
            if (statuses.TryGetValue(mapped ?? status, out var other))
                mapped = other.GetString();
            return;
        }
        var steps = JsonPointer.Parse(step.Path)!;
        switch (step)
        {
            case MoveStep move:
                Carry(move, JsonPointer.Parse(move.From)!, steps);
                break;
            case DefaultStep { Value: var standard }:
                if (Parent(steps) is JsonObject parent && !parent.ContainsKey(steps[^1]))
                    Put(parent, steps, step.Path, JsonNodes.ToElement(JsonNodes.From(standard)));
                break;
            case RemoveStep:
                isTouched |= Take(steps, out _);
                break;
            case ConvertStep { To: var type }:
                if (Find(steps, out var given) && given is not null && !Is(type, JsonNodes.ToElement(given)))
                {
                    if (Converted(JsonNodes.ToElement(given), type) is { } converted)
                        Replace(steps, converted);
                    else
                        faults.Report(
                            step.Path,
                            "NOT_CONVERTIBLE",
                            $"The value does not become one of the type '{type}'."
                        );
                }
                break;
            case MapStep { Values: var values }:
                if (Find(steps, out var found) && KeyOf(found) is { } key && values.TryGetValue(key, out var value))
                    Replace(steps, value);
                break;
        }
    }

    void Carry(MoveStep move, string[] from, string[] steps)
    {
        if (!Take(from, out var moved))
            return;
        isTouched = true;
        var parent = members;
        for (var i = 1; i < steps.Length - 1; i++)
        {
            if (!parent.TryGetPropertyValue(steps[i], out var next))
                parent[steps[i]] = next = new JsonObject();
            if (next is not JsonObject inside)
            {
                var at = steps[..(i + 1)].Aggregate("", JsonPointer.Append);
                faults.Report(at, "NOT_AN_OBJECT", $"What is at '{move.From}' cannot be moved into it.");
                return;
            }
            parent = inside;
        }
        if (parent.ContainsKey(steps[^1]))
            faults.Report(move.Path, "ALREADY_THERE", $"What is at '{move.From}' cannot be moved over it.");
        else
            Put(parent, steps, move.Path, JsonNodes.ToElement(moved));
    }

    void Put(JsonObject parent, string[] steps, string path, JsonElement value)
    {
        if (steps.Length + StrictJson.DepthOf(JsonMarshal.GetRawUtf8Value(value)) > StrictJson.MaxDepth)
            faults.Report(
                path,
                FaultCode.TooDeep,
                $"The resource would be nested deeper than {StrictJson.MaxDepth} levels."
            );
        parent[steps[^1]] = JsonNodes.From(value);
        isTouched = true;
    }

    void Replace(string[] steps, JsonElement value)
    {
        var node = JsonNodes.From(value);
        if (Parent(steps) is JsonArray list)
            list[JsonPointer.Index(steps[^1], list.Count)] = node;
        else
            Parent(steps)!.AsObject()[steps[^1]] = node;
        isTouched = true;
    }

    bool Take(string[] steps, out JsonNode? taken)
    {
        if (!Find(steps, out taken))
            return false;
        if (Parent(steps) is JsonArray list)
            list.RemoveAt(JsonPointer.Index(steps[^1], list.Count));
        else
            Parent(steps)!.AsObject().Remove(steps[^1]);
        return true;
    }

    /// <summary>Whether something is at a place; null, too, is something.</summary>
    bool Find(string[] steps, out JsonNode? found) => In(Parent(steps), steps[^1], out found);

    JsonNode? Parent(string[] steps)
    {
        JsonNode? parent = members;
        foreach (var step in steps.AsSpan(1..^1))
            if (!In(parent, step, out parent))
                return null;
        return parent;
    }

    static bool In(JsonNode? node, string step, out JsonNode? found)
    {
        found = null;
        if (node is JsonObject members)
            return members.TryGetPropertyValue(step, out found);
        if (node is not JsonArray list || JsonPointer.Index(step, list.Count) is not (>= 0 and var index))
            return false;
        found = list[index];
        return true;
    }

    static string? KeyOf(JsonNode? node) =>
        node?.GetValueKind() switch
        {
            JsonValueKind.String => node.GetValue<string>(),
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => Encoding.UTF8.GetString(
                JsonNodes.Write(node)
            ),
            _ => null,
        };

    static bool Is(string type, JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.String => type is "string",
            JsonValueKind.Number => type is "number"
                || type is "integer" && JsonNumber.IsInteger(JsonMarshal.GetRawUtf8Value(value)),
            JsonValueKind.True or JsonValueKind.False => type is "boolean",
            _ => false,
        };

    /// <summary>The value as one of a type; null where that would be a guess.</summary>
    static JsonElement? Converted(JsonElement value, string type) =>
        value.ValueKind switch
        {
            JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False when type is "string" =>
                JsonSerializer.SerializeToElement(value.GetRawText()),
            JsonValueKind.String when Meant(value.GetString()!) is { } meant && Is(type, meant) => meant,
            _ => null,
        };

    /// <summary>The number or truth value that a text is the JSON of; null where it is of neither.</summary>
    static JsonElement? Meant(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        using var document = StrictJson.Read(utf8, []);
        return
            document?.RootElement.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False
            && JsonMarshal.GetRawUtf8Value(document.RootElement).Length == utf8.Length
            ? document.RootElement.Clone()
            : null;
    }
}
