using System.Text.Json;
using System.Text.Json.Nodes;

namespace Resources.Grains;

/// <summary>Reads one definition of a type, and reports every fault it has.</summary>
sealed class DefinitionReader(JsonText text, List<Fault> faults)
{
    const string Metadata = "/metadata";

    /// <summary>What a resource has beside its metadata, and rules may speak of.</summary>
    static readonly string[] Own = ["/name", "/status", "/owner"];

    Schema? schema;
    Lifecycle? lifecycle;

    /// <summary>The definition; without meaning where faults were added.</summary>
    public TypeDefinition? Read()
    {
        var reader = new ObjectReader(text.ToElement(), faults);
        var name = reader.Slug("name");
        var title = reader.Text("title", 1, 255, optional: true);
        var description = reader.Text("description", 1, 10_000, optional: true);
        var plural = ReadNames(reader);
        schema = ReadSchema(reader.Any("schema"));
        lifecycle = ReadLifecycle(reader);
        var references = ReadMap(reader, "references", ReferenceRule.Max, ReadReference);
        var unique = ReadMap(reader, "unique", UniqueRule.Max, ReadUnique);
        var collation = ReadCollation(reader);
        var indexed = ReadIndexed(reader, collation);
        var display = reader.Text("display", 1, TypeDefinition.MaxPointer, optional: true);
        if (display is not null)
            CheckMember("/display", display);
        var given = reader.Any("migration", optional: true);
        var migration = given is { } operations ? Migration.Read(operations, schema, faults) : null;
        reader.RefuseOthers();
        if (name is null || schema is null)
            return null;
        plural ??= name + "s";
        if (TypeNames.Camel(name) == TypeNames.Camel(plural))
            faults.Report("/names/plural", "NAME_CLASH", "The plural has to differ from the name.");
        var own = given is null ? text : WithoutMigration(text);
        return new(
            own,
            name,
            title,
            description,
            plural,
            schema,
            lifecycle,
            references,
            unique,
            indexed,
            collation,
            display,
            migration
        );
    }

    /// <summary>A migration belongs to a change, and is no part of what is in force afterwards.</summary>
    static JsonText WithoutMigration(JsonText text)
    {
        var members = (JsonObject)JsonNodes.From(text.ToElement())!;
        members.Remove("migration");
        return JsonText.From(JsonNodes.ToElement(members));
    }

    static string? ReadNames(ObjectReader reader)
    {
        var names = reader.Nested("names", optional: true);
        var plural = names?.Slug("plural", optional: true);
        names?.RefuseOthers();
        return plural;
    }

    Schema? ReadSchema(JsonElement? element)
    {
        if (element is not { } given)
            return null;
        var compiled = Schema.Compile(given, "/schema", faults);
        if (
            given.ValueKind is not JsonValueKind.Object
            || !given.TryGetProperty("type", out var type)
            || type.ValueKind is not JsonValueKind.String
            || !type.ValueEquals("object")
        )
            faults.Report(
                "/schema",
                "NOT_AN_OBJECT",
                "Metadata is an object, so its schema has to be of type 'object'."
            );
        return compiled;
    }

    Lifecycle? ReadLifecycle(ObjectReader definition)
    {
        if (definition.Nested("lifecycle", optional: true) is not { } reader)
            return null;
        var initial = reader.Slug("initial");
        var states = new Dictionary<string, StateRule>();
        foreach (var (state, element) in Members(reader, "states", Lifecycle.MaxStates, optional: false))
        {
            if (!Slug.IsValid(state))
                faults.Report(
                    JsonPointer.Append("/lifecycle/states", state),
                    FaultCode.InvalidSlug,
                    "A status is a slug."
                );
            states[state] = ReadState(JsonPointer.Append("/lifecycle/states", state), element);
        }
        var transitions = ReadTransitions(reader, states);
        reader.RefuseOthers();
        if (initial is null)
            return null;
        if (!states.ContainsKey(initial))
            faults.Report("/lifecycle/initial", "UNKNOWN_STATE", "The lifecycle has no such state.");
        else
            RefuseUnreachable(initial, states.Keys, transitions.Keys);
        return new(initial, states, transitions);
    }

    StateRule ReadState(string at, JsonElement element)
    {
        var reader = new ObjectReader(element, faults, at);
        var lenient = reader.Flag("lenient", optional: true) ?? false;
        var required = reader.Strings("require", 1, TypeDefinition.MaxPointer, optional: true) ?? [];
        for (var i = 0; i < required.Count; i++)
            CheckMember($"{at}/require/{i}", required[i]);
        var own = reader.Any("schema", optional: true) is { } given
            ? Schema.Compile(given, JsonPointer.Append(at, "schema"), faults)
            : null;
        reader.RefuseOthers();
        return new(lenient, [.. required], own);
    }

    Dictionary<(string, string), string?> ReadTransitions(ObjectReader lifecycle, Dictionary<string, StateRule> states)
    {
        var transitions = new Dictionary<(string, string), string?>();
        if (lifecycle.Any("transitions", optional: true) is not { } list)
            return transitions;
        if (list.ValueKind is not JsonValueKind.Array)
            faults.Report("/lifecycle/transitions", FaultCode.WrongType, "The value has to be a list.");
        else if (list.GetArrayLength() > Lifecycle.MaxTransitions)
            TooMany("/lifecycle/transitions", Lifecycle.MaxTransitions);
        else
            foreach (var (index, element) in list.EnumerateArray().Index())
            {
                var reader = new ObjectReader(element, faults, $"/lifecycle/transitions/{index}");
                var (from, to) = (reader.Slug("from"), reader.Slug("to"));
                var permission = reader.Slug("permission", optional: true);
                reader.RefuseOthers();
                foreach (var (state, member) in new[] { (from, "from"), (to, "to") })
                    if (state is not null && !states.ContainsKey(state))
                        faults.Report(
                            $"/lifecycle/transitions/{index}/{member}",
                            "UNKNOWN_STATE",
                            "The lifecycle has no such state."
                        );
                if (from is not null && to is not null)
                    if (!transitions.TryAdd((from, to), permission) && transitions[(from, to)] != permission)
                        faults.Report(
                            $"/lifecycle/transitions/{index}/permission",
                            "DUPLICATE",
                            "The same transition asks for another permission."
                        );
            }
        return transitions;
    }

    void RefuseUnreachable(
        string initial,
        IEnumerable<string> states,
        IEnumerable<(string From, string To)> transitions
    )
    {
        var reached = new HashSet<string> { initial };
        for (var before = 0; before != reached.Count; )
        {
            before = reached.Count;
            reached.UnionWith(transitions.Where(step => reached.Contains(step.From)).Select(step => step.To));
        }
        foreach (var state in states.Where(state => !reached.Contains(state)))
            faults.Report(
                JsonPointer.Append("/lifecycle/states", state),
                "UNREACHABLE_STATE",
                "No transitions lead from the initial state to this one."
            );
    }

    ReferenceRule ReadReference(string pointer, string at, JsonElement element)
    {
        var reader = new ObjectReader(element, faults, at);
        var type = reader.Slug("type");
        var policy = reader.Text("onDelete", 1, 64, optional: true) switch
        {
            null or "restrict" => OnDelete.Restrict,
            "unset" => OnDelete.Unset,
            "cascade" => OnDelete.Cascade,
            _ => (OnDelete?)null,
        };
        if (policy is null)
            faults.Report(at + "/onDelete", "UNKNOWN_VALUE", "The value has to be restrict, unset or cascade.");
        var inverse = reader.Slug("inverse", optional: true);
        reader.RefuseOthers();
        if (pointer.Length > TypeDefinition.MaxPointer)
            faults.Report(at, FaultCode.TooLong, $"A pointer may have at most {TypeDefinition.MaxPointer} characters.");
        else if (!pointer.StartsWith(Metadata + "/", StringComparison.Ordinal))
            faults.Report(at, "UNKNOWN_MEMBER_PATH", "References are below /metadata.");
        else if (JsonPointer.Parse(pointer)?.Count(step => step is "*") > ReferenceRule.MaxSteps)
            faults.Report(at, "UNKNOWN_MEMBER_PATH", $"A pointer may have at most {ReferenceRule.MaxSteps} steps '*'.");
        else
            CheckMember(at, pointer, items: true);
        if (policy is OnDelete.Unset && IsRequired(pointer))
            faults.Report(
                at + "/onDelete",
                "REQUIRED_MEMBER",
                "The definition requires the member: it cannot be unset."
            );
        return new(pointer, type ?? "", policy ?? OnDelete.Restrict, inverse);
    }

    UniqueRule ReadUnique(string name, string at, JsonElement element)
    {
        var reader = new ObjectReader(element, faults, at);
        var named = reader.Strings("members", 1, TypeDefinition.MaxPointer, UniqueRule.MaxMembers);
        var members = named ?? [];
        var ignoreCase = reader.Flag("ignoreCase", optional: true) ?? false;
        reader.RefuseOthers();
        if (!Slug.IsValid(name))
            faults.Report(at, FaultCode.InvalidSlug, "The name of a rule is a slug.");
        if (named is [])
            faults.Report(at + "/members", FaultCode.TooShort, "A rule needs a member.");
        for (var i = 0; i < members.Count; i++)
            CheckMember($"{at}/members/{i}", members[i]);
        if (members.Distinct().Count() != members.Count)
            faults.Report(at + "/members", FaultCode.DuplicateMember, "A rule names each member once.");
        return new(name, [.. members], ignoreCase);
    }

    string ReadCollation(ObjectReader definition)
    {
        var collation = definition.Text("collation", 1, 64, optional: true) ?? Collations.CodePoints;
        if (collation is not (Collations.CodePoints or Collations.Unicode))
            faults.Report(
                "/collation",
                "UNKNOWN_COLLATION",
                $"The value has to be {Collations.CodePoints} or {Collations.Unicode}."
            );
        return collation;
    }

    IndexedMember[] ReadIndexed(ObjectReader definition, string collation)
    {
        var pointers = definition.Strings("indexed", 1, TypeDefinition.MaxPointer, IndexedMember.Max, optional: true)
            ?? [];
        var members = new List<IndexedMember>();
        foreach (var (index, pointer) in pointers.Index())
            if (!pointer.StartsWith(Metadata + "/", StringComparison.Ordinal))
                faults.Report($"/indexed/{index}", "UNKNOWN_MEMBER_PATH", "Indexed members are below /metadata.");
            else if (CheckMember($"/indexed/{index}", pointer))
            {
                var isTime = schema?.IsTime(pointer[Metadata.Length..]) is true;
                var hasOrder = !isTime && schema?.TakesText(pointer[Metadata.Length..]) is not false;
                members.Add(new(pointer, isTime, hasOrder ? collation : Collations.CodePoints));
            }
        if (pointers.Distinct().Count() != pointers.Count)
            faults.Report("/indexed", FaultCode.DuplicateMember, "A member is indexed once.");
        return [.. members];
    }

    T[] ReadMap<T>(ObjectReader definition, string member, int most, Func<string, string, JsonElement, T> read) =>
        [
            .. Members(definition, member, most, optional: true)
                .Select(one => read(one.Name, JsonPointer.Append("/" + member, one.Name), one.Value)),
        ];

    IEnumerable<(string Name, JsonElement Value)> Members(ObjectReader reader, string name, int most, bool optional)
    {
        var at = optional ? "/" + name : "/lifecycle/" + name;
        if (reader.Any(name, optional) is not { } map)
            return [];
        if (map.ValueKind is not JsonValueKind.Object)
            faults.Report(at, FaultCode.WrongType, "The value has to be an object.");
        else if (map.GetPropertyCount() > most)
            TooMany(at, most);
        else
            return map.EnumerateObject()
                .Select(member => (member.Name, member.Value))
                .OrderBy(member => member.Name, StringComparer.Ordinal);
        return [];
    }

    /// <summary>A rule about a member that cannot be there is a slip of the pen.</summary>
    bool CheckMember(string at, string pointer, bool items = false)
    {
        var steps = JsonPointer.Parse(pointer);
        var isKnown =
            steps is not null
            && (
                Own.Contains(pointer)
                || steps is ["metadata", _, ..]
                    && (items || !steps.Contains("*"))
                    && schema?.Describes(pointer[Metadata.Length..]) is not false
            );
        if (!isKnown)
            faults.Report(at, "UNKNOWN_MEMBER_PATH", "The schema describes no such member.");
        return isKnown;
    }

    bool IsRequired(string pointer) =>
        pointer.StartsWith(Metadata + "/", StringComparison.Ordinal)
        && (
            schema?.Requires(pointer[Metadata.Length..]) is true
            || lifecycle?.States.Values.Any(state =>
                state.Required.Contains(pointer) || state.Schema?.Requires(pointer[Metadata.Length..]) is true
            )
                is true
        );

    void TooMany(string at, int most) => faults.Report(at, FaultCode.TooLarge, $"There may be at most {most} of them.");
}
