using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// A JSON Schema of 2020-12 whose formats are asserted. It is written by a client and run on every write, so everything
/// it costs is bounded: at compile, what it is; at run, the steps.
/// </summary>
public sealed class Schema
{
    /// <summary>The most steps of one check. A value that takes more is refused.</summary>
    public const int MaxSteps = SchemaRun.MaxSteps;

    readonly bool followsScope;

    Schema(SchemaNode root, List<SchemaNode> nodes, bool followsScope)
    {
        Root = root;
        this.followsScope = followsScope;
        HasDefaults = nodes.Exists(node => node.Members.Defaults is not []);
    }

    /// <summary>The schema as it was written.</summary>
    public JsonElement Source => Root.Source;

    internal SchemaNode Root { get; }

    /// <summary>Whether what a reference leads to depends on the way to it.</summary>
    internal bool FollowsScope => followsScope;

    /// <summary>
    /// Compiles a schema that came through <see cref="StrictJson"/>, or returns null and reports all its faults.
    /// </summary>
    /// <param name="schema">The schema; a copy is kept.</param>
    /// <param name="pointer">Where it stands in the body.</param>
    /// <param name="faults">Takes the faults.</param>
    public static Schema? Compile(JsonElement schema, string pointer, List<Fault> faults)
    {
        var compiler = new SchemaCompiler(pointer, faults);
        if (compiler.Compile(schema.Clone()) is not { } root)
            return null;
        var followsScope = compiler.Nodes.Exists(node => node.DynamicName is not null);
        // All defaults together may take the steps of one check.
        var run = new SchemaRun(false, followsScope);
        foreach (var node in compiler.Nodes)
            node.Members.KeepDefaults((member, content) => run.Check(member, content, ""));
        if (run.IsOver)
        {
            faults.Report(pointer, FaultCode.TooCostly, $"To check the defaults takes more than {MaxSteps} steps.");
            return null;
        }
        return new(root, compiler.Nodes, followsScope);
    }

    /// <summary>Whether a value is valid. If not, at least one fault is reported.</summary>
    /// <param name="value">A value that came through <see cref="StrictJson"/>.</param>
    /// <param name="pointer">Where it stands in the body.</param>
    /// <param name="faults">Takes the faults.</param>
    /// <param name="lenient">
    /// Whether required, minLength, minItems, minProperties and minContains ask nothing. Where they decide whether
    /// something else is refused (below not, if, contains and oneOf) they count, so that this never refuses more.
    /// </param>
    public bool Check(JsonElement value, string pointer, List<Fault> faults, bool lenient = false)
    {
        var run = new SchemaRun(lenient, followsScope);
        if (run.Check(Root, value, pointer))
            return true;
        var before = faults.Count;
        if (!run.IsOver)
            new SchemaRun(lenient, followsScope, faults).Check(Root, value, pointer);
        // None, too, where a report looks at more than the verdict needed, and that became too costly.
        if (faults.Count == before)
            faults.Report(pointer, FaultCode.TooCostly, $"To check the value takes more than {MaxSteps} steps.");
        return false;
    }

    /// <summary>Whether a value is valid.</summary>
    public bool Accepts(JsonElement value) => new SchemaRun(false, followsScope).Check(Root, value, "");

    /// <summary>Whether there is a default anywhere.</summary>
    public bool HasDefaults { get; }

    /// <summary>
    /// Puts in the defaults of members that are absent, in objects that are there. Defaults under anyOf, oneOf, if and not
    /// are not put in: whether they apply depends on the value.
    /// </summary>
    /// <param name="filled">The value with the defaults; null where nothing is put in, or it does not fit.</param>
    /// <returns>False if the value would be larger, or nested deeper, than a body may be.</returns>
    public bool TryPutDefaults(JsonElement value, out JsonElement? filled)
    {
        filled = null;
        return !HasDefaults || SchemaDefaults.TryPutIn(Root, value, out filled);
    }

    /// <summary>
    /// Whether the schema says something of a member: a pointer into the value, in which * stands for every item of an
    /// array.
    /// </summary>
    public bool Describes(string pointer) =>
        JsonPointer.Parse(pointer) is { } steps && SchemaPaths.Describe(Root, steps);

    /// <summary>Whether texts at a pointer into the value are times.</summary>
    public bool IsTime(string pointer) =>
        JsonPointer.Parse(pointer) is { } steps && SchemaPaths.HasFormat(Root, steps, "date-time");

    /// <summary>Whether texts can stand at a pointer into the value.</summary>
    public bool TakesText(string pointer) =>
        JsonPointer.Parse(pointer) is not { } steps || SchemaPaths.Take(Root, steps, JsonTypes.String);

    /// <summary>
    /// Whether the schema requires a member that is no list, in each object that can have it. False where that depends on
    /// the value.
    /// </summary>
    /// <param name="pointer">A pointer as in <see cref="Describes"/>.</param>
    public bool Requires(string pointer) => JsonPointer.Parse(pointer) is { } steps && SchemaPaths.Require(Root, steps);

    /// <summary>
    /// Whether one schema provably takes everything that another takes, for values of any kind. False means that it is
    /// not known.
    /// </summary>
    public static bool IsWider(Schema old, Schema now) => new SchemaWidening(old, now).IsWider();
}
