namespace Resources.Api;

/// <summary>The limits of operations. Each is checked before what it bounds costs anything.</summary>
/// <param name="MaxSeconds">The longest that an operation may take.</param>
/// <param name="MaxCost">What an operation may cost; answers say in <c>extensions.cost</c> what theirs did.</param>
public sealed record GraphLimits(
    int MaxCharacters,
    int MaxTokens,
    int MaxNesting,
    int MaxDirectives,
    int MaxSpreads,
    int MaxOperations,
    int MaxFragments,
    int MaxRootFields,
    int MaxAliases,
    int MaxFields,
    int MaxFieldsOfOneName,
    int MaxDepth,
    int MaxDirectivesAtOnePlace,
    int MaxArguments,
    int MaxVariables,
    int MaxErrors,
    int MaxSeconds,
    int MaxCost
)
{
    public static GraphLimits InForce { get; } =
        new(
            DocumentScan.MaxLength,
            DocumentScan.MaxTokens,
            DocumentScan.MaxDepth,
            DocumentScan.MaxDirectives,
            DocumentScan.MaxSpreads,
            DocumentGuard.MaxOperations,
            DocumentGuard.MaxFragments,
            DocumentGuard.MaxRootFields,
            DocumentGuard.MaxAliases,
            DocumentGuard.MaxFields,
            DocumentGuard.MaxSameName,
            DocumentGuard.MaxDepth,
            DocumentGuard.MaxDirectives,
            DocumentGuard.MaxArguments,
            DocumentGuard.MaxVariables,
            GraphErrors.Max,
            (int)GraphExecutor.MaxTime.TotalSeconds,
            DocumentCost.Max
        );
}
