using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>GraphQl</c>.</summary>
public sealed class GraphOptions
{
    /// <summary>Who may ask what the schema is.</summary>
    [EnumDataType(typeof(GraphIntrospection))]
    public GraphIntrospection Introspection { get; set; } = GraphIntrospection.Authenticated;

    /// <summary>Which documents are run.</summary>
    [EnumDataType(typeof(GraphDocuments))]
    public GraphDocuments Documents { get; set; } = GraphDocuments.Open;

    /// <summary>The statuses of answers that are sent as <c>application/graphql-response+json</c>.</summary>
    [EnumDataType(typeof(GraphStatuses))]
    public GraphStatuses Statuses { get; set; } = GraphStatuses.Audit;

    /// <summary>Whether <c>/graphql</c> shows the explorer; null = in Development only.</summary>
    public bool? Explorer { get; set; }

    /// <summary>Operations that take so many milliseconds are logged.</summary>
    [Range(1, 600_000)]
    public int SlowMilliseconds { get; set; } = 1_000;
}

/// <summary>Who may ask what the schema is.</summary>
public enum GraphIntrospection
{
    /// <summary>Every caller, of the types that it may see.</summary>
    Authenticated,

    /// <summary>Nobody.</summary>
    Off,
}

/// <summary>Which documents are run.</summary>
public enum GraphDocuments
{
    /// <summary>Every one.</summary>
    Open,

    /// <summary>Those only that were stored before.</summary>
    Trusted,
}

/// <summary>The statuses of answers that are sent as <c>application/graphql-response+json</c>.</summary>
public enum GraphStatuses
{
    /// <summary>Those that the audit of <c>graphql-http</c> asks for: 400 for all that is not run, 200 for the rest.</summary>
    Audit,

    /// <summary>
    /// Those of the draft of GraphQL over HTTP of August 2026: 422 for what does not fit, 294 where a part has failed.
    /// </summary>
    Draft,
}
