using System.ComponentModel.DataAnnotations;

namespace Resources.Silo;

/// <summary>Section <c>Reads</c>.</summary>
public sealed class ReadOptions
{
    /// <summary>
    /// Memory of this node for what was read and nobody has received yet, in MiB; null = a quarter of what the process
    /// may use.
    /// </summary>
    [Range(1, 1_000_000)]
    public int? MaxMegabytes { get; set; }

    /// <summary><see cref="MaxMegabytes"/> in bytes.</summary>
    public long MaxBytes => MaxMegabytes * (1L << 20) ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;
}
