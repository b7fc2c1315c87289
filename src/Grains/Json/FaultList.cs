namespace Resources.Grains;

/// <summary>Collects faults up to a bound, so that a hostile body cannot make a large answer.</summary>
public static class FaultList
{
    /// <summary>More faults than this are not reported.</summary>
    public const int Max = 100;

    /// <summary>The longest pointer in characters. Names of members may be long, and each fault would repeat them.</summary>
    public const int MaxPointer = 1_000;

    /// <summary>
    /// Adds a fault unless the list is full. In place of a member whose pointer is too long it names the closest one above.
    /// </summary>
    public static void Report(this List<Fault> faults, string pointer, string code, string detail, int? position = null)
    {
        if (faults.Count < Max)
            faults.Add(new Fault(Shortened(pointer), code, detail, position));
    }

    static string Shortened(string pointer) =>
        pointer.Length > MaxPointer && pointer.LastIndexOf('/', MaxPointer) is >= 0 and var end
            ? pointer[..end]
            : pointer;
}
