using System.Buffers;
using System.Text;

namespace Resources.Grains;

/// <summary>
/// A regular expression of ECMA 262 with the flag u, as an automaton whose states are followed all at once. A text costs
/// at most its length times the number of states, whatever the pattern; nothing is ever tried again.
/// </summary>
internal sealed class SchemaPattern
{
    /// <summary>The most states of one pattern.</summary>
    public const int MaxStates = 10_000;

    const int FewStates = 64;

    // What to visit a state takes from a budget in which a byte that is only read takes 1.
    const int VisitCost = 2;

    readonly PatternStep[] steps;
    readonly CodePointSet[] sets;
    readonly bool startsAtStart;

    SchemaPattern(PatternStep[] steps, CodePointSet[] sets, bool startsAtStart)
    {
        this.steps = steps;
        this.sets = sets;
        this.startsAtStart = startsAtStart;
    }

    /// <summary>The number of states.</summary>
    public int States => steps.Length;

    /// <summary>
    /// Compiles a pattern, or returns null where it is not of ECMA 262, looks around, refers back, or takes too many
    /// states.
    /// </summary>
    public static SchemaPattern? Compile(string pattern)
    {
        if (PatternParser.Parse(pattern, out var needsBacktracking) is not { } tree)
            return null;
        if (needsBacktracking || tree.States >= MaxStates)
            return null;
        var builder = new Builder();
        builder.Add(tree);
        return new([.. builder.Steps, new(PatternStep.Kind.Match)], [.. builder.Sets.Keys], tree.StartsAtStart);
    }

    /// <summary>
    /// Whether the pattern is found anywhere in a UTF-8 text. Every state visited takes from the budget; below 0 the
    /// search ends without a match.
    /// </summary>
    public bool IsMatch(ReadOnlySpan<byte> text, ref long budget)
    {
        var size = 4 * steps.Length;
        if (steps.Length <= FewStates)
        {
            Span<int> few = stackalloc int[4 * FewStates];
            return IsMatch(text, ref budget, few[..size]);
        }
        var rented = ArrayPool<int>.Shared.Rent(size);
        rented.AsSpan(0, steps.Length).Clear();
        var found = IsMatch(text, ref budget, rented.AsSpan(0, size));
        ArrayPool<int>.Shared.Return(rented);
        return found;
    }

    bool IsMatch(ReadOnlySpan<byte> text, ref long budget, Span<int> memory)
    {
        var count = steps.Length;
        var run = new Run
        {
            Seen = memory[..count],
            Active = memory.Slice(count, count),
            Waiting = memory.Slice(2 * count, count),
        };
        var reached = memory.Slice(3 * count, count);
        var reachedCount = 0;
        var previous = -1;
        for (var round = 1; ; round++)
        {
            var current = -1;
            var length = 0;
            if (!text.IsEmpty)
            {
                (current, length) = text[0] < 0x80 ? (text[0], 1) : Decode(text);
            }
            // Many patterns begin at the start of a text and leave nothing open: one state at a time.
            if (startsAtStart && reachedCount is 1 && steps[reached[0]].TakesCodePoint)
            {
                budget -= VisitCost;
                if (text.IsEmpty || budget < 0 || !Takes(steps[reached[0]], current))
                    return false;
                reached[0]++;
                previous = current;
                text = text[length..];
                continue;
            }
            run.Begin(round, previous, current);
            for (var i = 0; i < reachedCount; i++)
                if (Reaches(ref run, reached[i]))
                    return true;
            if ((round is 1 || !startsAtStart) && Reaches(ref run, 0))
                return true;
            budget -= VisitCost * (1 + run.Visited);
            if (text.IsEmpty || budget < 0)
                return false;

            reachedCount = 0;
            foreach (var state in run.Active[..run.ActiveCount])
                if (Takes(steps[state], current))
                    reached[reachedCount++] = state + 1;
            if (reachedCount is 0 && startsAtStart)
                return false;
            previous = current;
            text = text[length..];
        }
    }

    static (int CodePoint, int Length) Decode(ReadOnlySpan<byte> text)
    {
        Rune.DecodeFromUtf8(text, out var rune, out var length);
        return (rune.Value, length);
    }

    bool Takes(PatternStep step, int codePoint) =>
        step.Is is PatternStep.Kind.Literal ? step.First == codePoint : sets[step.First].Contains(codePoint);

    /// <summary>Activates a state and all that follow without taking a code point; true at the match.</summary>
    bool Reaches(ref Run run, int state)
    {
        run.Visit(state);
        while (run.WaitingCount > 0)
        {
            state = run.Waiting[--run.WaitingCount];
            var step = steps[state];
            switch (step.Is)
            {
                case PatternStep.Kind.Match:
                    return true;
                case PatternStep.Kind.Literal or PatternStep.Kind.OneOf:
                    run.Active[run.ActiveCount++] = state;
                    break;
                case PatternStep.Kind.Fork:
                    run.Visit(step.First);
                    run.Visit(step.Second);
                    break;
                case PatternStep.Kind.Jump:
                    run.Visit(step.First);
                    break;
                default:
                    if (run.Holds(step.Is))
                        run.Visit(state + 1);
                    break;
            }
        }
        return false;
    }

    ref struct Run
    {
        public Span<int> Seen;
        public Span<int> Active;
        public Span<int> Waiting;
        public int ActiveCount;
        public int WaitingCount;
        public int Visited;
        int round;
        int previous;
        int current;

        public void Begin(int newRound, int before, int behind)
        {
            (round, previous, current) = (newRound, before, behind);
            ActiveCount = WaitingCount = Visited = 0;
        }

        public void Visit(int state)
        {
            if (Seen[state] == round)
                return;
            Seen[state] = round;
            Waiting[WaitingCount++] = state;
            Visited++;
        }

        public readonly bool Holds(PatternStep.Kind assertion) =>
            assertion switch
            {
                PatternStep.Kind.Start => previous < 0,
                PatternStep.Kind.End => current < 0,
                PatternStep.Kind.WordEdge => IsWord(previous) != IsWord(current),
                _ => IsWord(previous) == IsWord(current),
            };

        static bool IsWord(int codePoint) => codePoint >= 0 && UnicodeClasses.WordCharacters.Contains(codePoint);
    }

    sealed class Builder
    {
        public List<PatternStep> Steps { get; } = [];
        public OrderedDictionary<CodePointSet, int> Sets { get; } = [];

        public void Add(PatternTree tree)
        {
            switch (tree)
            {
                case PatternTree.Literal literal:
                    Steps.Add(new(PatternStep.Kind.Literal, literal.CodePoint));
                    break;
                case PatternTree.OneOf oneOf:
                    Sets.TryAdd(oneOf.Set, Sets.Count);
                    Steps.Add(new(PatternStep.Kind.OneOf, Sets[oneOf.Set]));
                    break;
                case PatternTree.Assertion assertion:
                    Steps.Add(new(assertion.Kind));
                    break;
                case PatternTree.Sequence sequence:
                    sequence.Items.ForEach(Add);
                    break;
                case PatternTree.Choice choice:
                    AddChoice(choice.Items);
                    break;
                case PatternTree.Repeat { States: > 0 } repeat:
                    AddRepeat(repeat);
                    break;
            }
        }

        void AddChoice(List<PatternTree> items)
        {
            var jumps = new List<int>();
            foreach (var item in items[..^1])
            {
                var fork = Reserve();
                Add(item);
                jumps.Add(Reserve());
                Steps[fork] = new(PatternStep.Kind.Fork, fork + 1, Steps.Count);
            }
            Add(items[^1]);
            foreach (var jump in jumps)
                Steps[jump] = new(PatternStep.Kind.Jump, Steps.Count);
        }

        void AddRepeat(PatternTree.Repeat repeat)
        {
            for (var i = 0; i < repeat.Min - (repeat.Max is null ? 1 : 0); i++)
                Add(repeat.Item);
            if (repeat.Max is null)
                AddEndless(repeat.Item, canBeSkipped: repeat.Min is 0);
            else
                AddOptional(repeat.Item, repeat.Max.Value - repeat.Min);
        }

        void AddEndless(PatternTree item, bool canBeSkipped)
        {
            var fork = canBeSkipped ? Reserve() : -1;
            var start = Steps.Count;
            Add(item);
            if (canBeSkipped)
            {
                Steps.Add(new(PatternStep.Kind.Jump, fork));
                Steps[fork] = new(PatternStep.Kind.Fork, start, Steps.Count);
            }
            else
                Steps.Add(new(PatternStep.Kind.Fork, start, Steps.Count + 1));
        }

        void AddOptional(PatternTree item, int times)
        {
            var forks = new List<int>();
            for (var i = 0; i < times; i++)
            {
                forks.Add(Reserve());
                Add(item);
            }
            foreach (var fork in forks)
                Steps[fork] = new(PatternStep.Kind.Fork, fork + 1, Steps.Count);
        }

        int Reserve()
        {
            Steps.Add(default);
            return Steps.Count - 1;
        }
    }
}
