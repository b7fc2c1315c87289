using System.Collections.Concurrent;
using System.Collections.Immutable;
using GraphQL.Types;
using GraphQL.Validation;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>A document that was parsed, with what was found out about it when it was run.</summary>
/// <param name="merges">Whether fields of it may become one.</param>
sealed class ParsedDocument(GraphQLDocument document, bool merges)
{
    /// <summary>What is known of further operations is not kept: it takes memory.</summary>
    const int MaxKnown = 2;

    /// <summary>A directive may leave out parts, and fields that become one are others in each execution.</summary>
    readonly bool isPlain = !merges && !document.Source.Span.Contains('@');

    readonly RowPlans plans = [];

    // Most documents of a flood are never asked for again, and learn nothing.
    ImmutableDictionary<GraphQLOperationDefinition, KnownOperation?> known = ImmutableDictionary<
        GraphQLOperationDefinition,
        KnownOperation?
    >.Empty;

    public GraphQLDocument Document => document;

    /// <summary>Null where each execution has plans of its own.</summary>
    public RowPlans? Plans => isPlain ? plans : null;

    /// <summary>What is known of an operation; null where it is validated each time, or for the first time.</summary>
    public KnownOperation? KnownOf(GraphQLOperationDefinition operation) => known.GetValueOrDefault(operation);

    /// <summary>Keeps what is common to all requests of an operation, after the first that was valid.</summary>
    public void Learn(in ValidationOptions request, IValidationResult result)
    {
        if (isPlain && known.Count < MaxKnown && !known.ContainsKey(request.Operation))
            ImmutableInterlocked.TryAdd(ref known, request.Operation, KnownOperation.Of(request, result));
    }
}

/// <summary>The plans of rows, by what is selected and of which type.</summary>
sealed class RowPlans : ConcurrentDictionary<(GraphQLSelectionSet, IObjectGraphType), RowPlan>;
