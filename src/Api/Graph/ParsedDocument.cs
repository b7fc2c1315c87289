using System.Collections.Concurrent;
using GraphQL.Types;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>A document that was parsed, with what was found out about it when it was run.</summary>
sealed class ParsedDocument(GraphQLDocument document)
{
    public GraphQLDocument Document => document;

    /// <summary>Null where a directive may leave out parts: then each operation has plans of its own.</summary>
    public RowPlans? Plans { get; } = document.Source.Span.Contains('@') ? null : new();

    /// <summary>What is known of its operations; null for those that are validated each time.</summary>
    public ConcurrentDictionary<GraphQLOperationDefinition, KnownOperation?> Known { get; } = new();
}

/// <summary>The plans of rows, by what is selected and of which type.</summary>
sealed class RowPlans : ConcurrentDictionary<(GraphQLSelectionSet, IObjectGraphType), RowPlan>;
