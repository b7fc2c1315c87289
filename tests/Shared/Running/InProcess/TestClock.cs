namespace Resources.Tests;

/// <summary>The system's clock, which a test can put forward.</summary>
sealed class TestClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
