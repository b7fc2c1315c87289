namespace Resources.Grains;

/// <summary>Which members or items of one value a schema has looked at, by their number.</summary>
internal sealed class Marks(int count)
{
    readonly ulong[] bits = new ulong[(count + 63) / 64];

    /// <summary>How many members or items there are.</summary>
    public int Count { get; } = count;

    /// <summary>Whether a schema has looked at one.</summary>
    public bool this[int at] => (bits[at / 64] >> at % 64 & 1) != 0;

    public void Add(int at) => bits[at / 64] |= 1ul << at % 64;

    public void AddAll() => bits.AsSpan().Fill(ulong.MaxValue);

    public void Add(Marks others)
    {
        for (var i = 0; i < bits.Length; i++)
            bits[i] |= others.bits[i];
    }
}
