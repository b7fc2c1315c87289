using System.Buffers;
using System.Text;

namespace Resources.Projections;

/// <summary>One fault of a filter.</summary>
/// <param name="Position">How many Unicode scalar values stand before it.</param>
/// <param name="Detail">A sentence for people: what is wrong, and what would be right.</param>
public sealed record FilterFault(int Position, string Detail);

/// <summary>Collects the faults of one filter, up to a bound.</summary>
sealed class FilterFaults(string text, List<FilterFault> faults)
{
    const int MaxFaults = 20;

    int count;

    public bool Any => count > 0;

    /// <summary>Adds a fault found at an index of the text, and answers null for the caller to return.</summary>
    public Filter? Add(int at, string detail)
    {
        if (count++ < MaxFaults)
            faults.Add(new(ScalarsBefore(at), detail));
        return null;
    }

    int ScalarsBefore(int at)
    {
        var scalars = 0;
        for (var rest = text.AsSpan(0, at); !rest.IsEmpty; scalars++)
            rest = rest[(Rune.DecodeFromUtf16(rest, out _, out var length) is OperationStatus.Done ? length : 1)..];
        return scalars;
    }
}
