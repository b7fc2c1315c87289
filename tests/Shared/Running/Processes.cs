namespace Resources.Tests;

/// <summary>Tests that measure server processes, or load the machine with them, share it with no other test.</summary>
[CollectionDefinition(Alone, DisableParallelization = true)]
public sealed class Processes
{
    public const string Alone = "processes";
}
