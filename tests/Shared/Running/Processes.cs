namespace Resources.Tests;

/// <summary>Tests that start server processes share the machine with no other test.</summary>
[CollectionDefinition(Alone, DisableParallelization = true)]
public sealed class Processes
{
    public const string Alone = "processes";
}
