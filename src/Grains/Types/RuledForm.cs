namespace Resources.Grains;

/// <summary>A definition with the numbers of its rules.</summary>
/// <param name="Fields">The number of each unique rule and reference, by its name or pointer.</param>
/// <param name="Version">The version of the type that has this form.</param>
public sealed record RuledForm(TypeDefinition Definition, Dictionary<string, int> Fields, long Version)
{
    internal (UniqueRule Rule, MemberPath[] Members)[] Unique { get; } =
    [.. Definition.Unique.Select(rule => (rule, Array.ConvertAll(rule.Members, member => new MemberPath(member))))];

    internal (ReferenceRule Rule, MemberPath Path)[] References { get; } =
    [.. Definition.References.Select(rule => (rule, new MemberPath(rule.Pointer)))];
}
