namespace Resources.Api.Tests;

/// <summary>
/// Tests that start servers beside the shared one. They run in turn: servers of one process share their gauges, which
/// show the server that started last.
/// </summary>
[CollectionDefinition(Name)]
public sealed class MoreServers
{
    public const string Name = "more servers";
}
