using System.Collections.Concurrent;
using GraphQL.Types;
using GraphQLParser.AST;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>One operation that is under way: who asks, what it reads from, and what was found on the way.</summary>
sealed class GraphOperation(Caller caller, HttpContext http, GraphReads reads) : Dictionary<string, object?>
{
    public Caller Caller => caller;

    /// <summary>The request, for what counts against its limits.</summary>
    public HttpContext Http => http;

    public GraphReads Reads => reads;

    /// <summary>The plans of rows, by what is selected and of which type.</summary>
    public ConcurrentDictionary<(GraphQLSelectionSet, IObjectGraphType), RowPlan> Plans { get; } = new();
}
