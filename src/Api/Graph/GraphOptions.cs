using System.ComponentModel.DataAnnotations;

namespace Resources.Api;

/// <summary>Section <c>GraphQl</c>.</summary>
public sealed class GraphOptions
{
    /// <summary>Who may ask what the schema is.</summary>
    [EnumDataType(typeof(GraphIntrospection))]
    public GraphIntrospection Introspection { get; set; } = GraphIntrospection.Authenticated;

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
