namespace Resources.Tests;

/// <summary>
/// A directory that lives as long as its test. Other accounts may pass through it, unlike the runtime's own temporary
/// ones.
/// </summary>
internal sealed class TestDirectory : IDisposable
{
    public TestDirectory() => Directory.CreateDirectory(Path);

    public string Path { get; } =
        System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"resources-test-{Guid.NewGuid():n}");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
