using System.Collections.Concurrent;
using GraphQL.Types;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>A document that was parsed, with the plans of rows that were made for it.</summary>
sealed class ParsedDocument(GraphQLDocument document)
{
    public GraphQLDocument Document => document;

    /// <summary>Null where a directive may leave out parts: then each operation has plans of its own.</summary>
    public RowPlans? Plans { get; } = document.Source.Span.Contains('@') ? null : new();
}

/// <summary>The plans of rows, by what is selected and of which type.</summary>
sealed class RowPlans : ConcurrentDictionary<(GraphQLSelectionSet, IObjectGraphType), RowPlan>;
