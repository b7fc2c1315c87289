namespace Resources.Grains;

/// <summary>A pattern as it was read.</summary>
internal abstract record PatternTree
{
    /// <summary>The states that it needs, copies of repetitions included; at most <see cref="Huge"/>.</summary>
    public abstract long States { get; }

    /// <summary>More states than any pattern may have.</summary>
    public const long Huge = 1_000_000_000;

    /// <summary>Whether it can only begin to match at the start of a text.</summary>
    public virtual bool StartsAtStart => false;

    public sealed record Literal(int CodePoint) : PatternTree
    {
        public override long States => 1;
    }

    public sealed record OneOf(CodePointSet Set) : PatternTree
    {
        public override long States => 1;
    }

    public sealed record Assertion(PatternStep.Kind Kind) : PatternTree
    {
        public override long States => 1;
        public override bool StartsAtStart => Kind is PatternStep.Kind.Start;
    }

    public sealed record Sequence(List<PatternTree> Items) : PatternTree
    {
        public override long States { get; } = Math.Min(Huge, Items.Sum(item => item.States));
        public override bool StartsAtStart { get; } = Items is [{ StartsAtStart: true }, ..];
    }

    public sealed record Choice(List<PatternTree> Items) : PatternTree
    {
        public override long States { get; } = Math.Min(Huge, Items.Sum(item => item.States) + 2 * (Items.Count - 1));
        public override bool StartsAtStart { get; } = Items.TrueForAll(item => item.StartsAtStart);
    }

    /// <summary>A repetition; <paramref name="Max"/> is null where there is no end.</summary>
    public sealed record Repeat(PatternTree Item, int Min, int? Max) : PatternTree
    {
        // What needs no state matches nothing but the empty text, however often.
        public override long States { get; } =
            Item.States is 0 ? 0
            : Max is { } max ? Math.Min(Huge, Item.States * Min + (Item.States + 1) * (max - Min))
            : Math.Min(Huge, Item.States * Math.Max(1, Min) + (Min is 0 ? 2 : 1));
    }
}
