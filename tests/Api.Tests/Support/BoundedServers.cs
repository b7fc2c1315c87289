namespace Resources.Api.Tests;

/// <summary>
/// Tests of bounds, on servers of their own with small ones. They run in turn, and beside <see cref="MoreServers"/>, as
/// none of them looks at gauges.
/// </summary>
[CollectionDefinition(Name)]
public sealed class BoundedServers
{
    public const string Name = "bounded servers";
}
