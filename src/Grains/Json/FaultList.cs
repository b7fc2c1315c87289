namespace Resources.Grains;

/// <summary>Collects faults up to a bound, so that a hostile body cannot make a large answer.</summary>
public static class FaultList
{
    /// <summary>More faults than this are not reported.</summary>
    public const int Max = 100;

    /// <summary>Adds a fault unless the list is full.</summary>
    public static void Report(this List<Fault> faults, string pointer, string code, string detail, int? position = null)
    {
        if (faults.Count < Max)
            faults.Add(new Fault(pointer, code, detail, position));
    }
}
