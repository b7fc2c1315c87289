namespace Resources.Api.Tests;

/// <summary>Tests of bounds, on servers of their own with small ones, which measure memory or time: they run in turn.</summary>
[CollectionDefinition(Name)]
public sealed class BoundedServers
{
    public const string Name = "bounded servers";
}
