namespace Resources.Api;

/// <summary>Every type of problem that this server answers: its own, and those of its features.</summary>
public sealed class ProblemCatalogue(IReadOnlyList<Feature> features)
{
    /// <summary>All types, by status.</summary>
    public IReadOnlyList<ProblemType> All { get; } =
    [.. ProblemType.All.Concat(features.SelectMany(feature => feature.Problems)).OrderBy(type => type.Status)];

    /// <summary>The types with a status.</summary>
    public IEnumerable<ProblemType> With(int status) => All.Where(type => type.Status == status);
}
