using System.Text.Json.Serialization;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// A part of the API that brings itself: its options, services, JSON, problems, endpoints, and what nodes need for it.
/// The server is the list of its features.
/// </summary>
public abstract class Feature
{
    /// <summary>The groups of the reference in which its operations stand.</summary>
    public virtual Tag[] Tags => [];

    /// <summary>What it brings to nodes; null for the product's own features, which headless nodes have too.</summary>
    public virtual NodeFeature? Node => null;

    /// <summary>Serialises its answers; null when it has no documents.</summary>
    public virtual JsonSerializerContext? Json => null;

    /// <summary>Its problems, beside those of the server.</summary>
    public virtual ProblemType[] Problems => [];

    /// <summary>Reads its options, and registers its services.</summary>
    public virtual void Add(IServiceCollection services, Settings settings) { }

    /// <summary>Maps its endpoints.</summary>
    /// <param name="root">The whole server, for what is outside the API.</param>
    /// <param name="api">The API: authenticated, validated and limited.</param>
    public virtual void Map(IEndpointRouteBuilder root, RouteGroupBuilder api) { }
}

/// <summary>A group of operations in the reference.</summary>
public sealed record Tag(string Name, string Description);
