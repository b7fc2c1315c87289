using System.Text.RegularExpressions;

namespace Resources.Tests;

/// <summary>Writes filters of the model as text, each time in another notation with the same meaning.</summary>
public sealed partial class FilterWriter(Random random)
{
    // From loose to tight: AND, conditions side by side, OR, negation, a condition alone or in parentheses.
    const int And = 0,
        SideBySide = 1,
        Or = 2,
        Term = 3,
        Simple = 4;

    public string Write(FilterModel filter) => Write(filter, And, inList: false);

    string Write(FilterModel filter, int level, bool inList)
    {
        var (own, text) = filter switch
        {
            FilterModel.All all when level is And or Simple && Chance(2) => (
                And,
                $"{Write(all.Left, And, inList)} AND {Write(all.Right, SideBySide, inList)}"
            ),
            FilterModel.All all => (
                SideBySide,
                $"{Write(all.Left, SideBySide, inList)}{Space()} {Write(all.Right, Or, inList)}"
            ),
            FilterModel.Any any => (Or, $"{Write(any.Left, Or, inList)} OR {Write(any.Right, Term, inList)}"),
            FilterModel.Negated negated => (Term, Negate(Write(negated.Inner, Simple, inList))),
            FilterModel.Shared shared => (
                Simple,
                $"{Path(shared.Path)}{Space()}{shared.Sign}{Space()}({Space()}{Write(shared.Inner, And, inList: true)}{Space()})"
            ),
            FilterModel.Searched { IsPhrase: true } phrase => (Simple, Quote([phrase.Text])),
            FilterModel.Searched searched when FilterModel.Words(searched.Text).Skip(1).Any() => (
                Simple,
                $"({Space()}{searched.Text}{Space()})"
            ),
            FilterModel.Searched searched => (
                Simple,
                BareWord().IsMatch(searched.Text) && Chance(2) ? searched.Text : Quote([searched.Text])
            ),
            FilterModel.Compared compared when inList => (Simple, Value(compared, inList)),
            FilterModel.Compared compared => (
                Simple,
                $"{Path(compared.Path)}{Space()}{compared.Sign}{Space()}{Value(compared, inList)}"
            ),
            _ => throw new ArgumentException(filter.GetType().Name),
        };
        return own < level || Chance(10) ? $"({Space()}{text}{Space()})" : text;
    }

    string Negate(string text) => text[0] is '-' or (>= '0' and <= '9') || Chance(2) ? $"NOT {text}" : $"-{text}";

    string Path(string[] path) =>
        path[0]
        + string.Concat(path[1..].Select(step => "." + (BareStep().IsMatch(step) && Chance(2) ? step : Quote([step]))));

    string Value(FilterModel.Compared compared, bool inList)
    {
        var value = compared.Value;
        return value.Kind switch
        {
            ModelKind.Text when Chance(2) && CanStandBare(compared, inList) => value.Literal,
            ModelKind.Text => Quote(value.Pieces),
            ModelKind.Id when Chance(2) => Quote(value.Pieces),
            ModelKind.Time when Chance(2) => Quote([value.Literal.Replace('+', Chance(2) ? ' ' : '+')]),
            _ => value.Literal,
        };
    }

    static bool CanStandBare(FilterModel.Compared compared, bool inList)
    {
        var text = compared.Value.Literal;
        return BareValue().IsMatch(text)
            && !compared.Value.Pieces.Any(piece => piece.Contains('*', StringComparison.Ordinal))
            && !(inList && text[0] is '-')
            && !(compared.Path is ["metadata", _, ..] && Typed().IsMatch(text))
            && !(compared.Sign is ":" && text is "*");
    }

    static string Quote(string[] pieces) => $"\"{string.Join('*', pieces.Select(Escape))}\"";

    static string Escape(string piece) =>
        piece
            .Replace("\\", "\\\\", StringComparison.Ordinal)
            .Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("*", "\\*", StringComparison.Ordinal);

    string Space() =>
        random.Next(6) switch
        {
            0 => " ",
            1 => " \t",
            _ => "",
        };

    bool Chance(int one) => random.Next(one) is 0;

    [GeneratedRegex(@"^(?!(AND|OR|NOT|name)\b)\p{L}[\p{L}\p{Nd}\p{M},;.?-]*\z")]
    private static partial Regex BareWord();

    [GeneratedRegex(@"^[^\s()""=<>:.\\'!]+\z")]
    private static partial Regex BareStep();

    [GeneratedRegex(@"^(?!(AND|OR|NOT)\z)[^\s()""\\'=<>:!][^\s()""\\]*\z")]
    private static partial Regex BareValue();

    [GeneratedRegex(@"^(true|false|null|-?[0-9].*)\z", RegexOptions.Singleline)]
    private static partial Regex Typed();
}
