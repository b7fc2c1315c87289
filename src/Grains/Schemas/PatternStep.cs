namespace Resources.Grains;

/// <summary>One state of a pattern's automaton.</summary>
/// <param name="Is">What it does.</param>
/// <param name="First">A code point, the number of a set, or the next state.</param>
/// <param name="Second">The other next state of a fork.</param>
internal readonly record struct PatternStep(PatternStep.Kind Is, int First = 0, int Second = 0)
{
    /// <summary>Whether it goes on only with a code point that it takes.</summary>
    public bool TakesCodePoint => Is is Kind.Literal or Kind.OneOf;

    internal enum Kind : byte
    {
        /// <summary>Takes one code point and goes on with the following state.</summary>
        Literal,

        /// <summary>Takes one code point of a set and goes on with the following state.</summary>
        OneOf,

        /// <summary>Goes on with both.</summary>
        Fork,
        Jump,
        Start,
        End,
        WordEdge,
        NoWordEdge,
        Match,
    }
}
