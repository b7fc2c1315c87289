using GraphQL.Types;
using GraphQLParser.AST;
using Resources.Grains;

namespace Resources.Api;

/// <summary>A number as it was written, so that no digit is lost.</summary>
sealed record WrittenNumber(string Text);

/// <summary>A scalar that takes what may be any JSON value.</summary>
sealed class JsonScalar : ScalarGraphType
{
    public JsonScalar() => (Name, Description) = ("JSON", "Any JSON value.");

    public override object? Serialize(object? value) => value;

    public override object? ParseLiteral(GraphQLValue value) => Of(value);

    public override object? ParseValue(object? value) => value;

    object? Of(GraphQLValue value) =>
        value switch
        {
            GraphQLNullValue => null,
            GraphQLBooleanValue truth => truth.BoolValue,
            GraphQLStringValue text => (string)text.Value,
            GraphQLIntValue number => new WrittenNumber((string)number.Value),
            GraphQLFloatValue number => new WrittenNumber((string)number.Value),
            GraphQLListValue list => (list.Values ?? []).ConvertAll(Of),
            GraphQLObjectValue members => (members.Fields ?? []).ToDictionary(
                member => (string)member.Name.Value,
                member => Of(member.Value)
            ),
            _ => ThrowLiteralConversionError(value),
        };
}

/// <summary>A number whose digits are kept.</summary>
sealed class NumberScalar : ScalarGraphType
{
    public NumberScalar(string name, string description) => (Name, Description) = (name, description);

    public override object? Serialize(object? value) => value;

    public override object? ParseLiteral(GraphQLValue value) =>
        value switch
        {
            GraphQLNullValue => null,
            GraphQLIntValue number => new WrittenNumber((string)number.Value),
            GraphQLFloatValue number => new WrittenNumber((string)number.Value),
            GraphQLStringValue text => ParseValue((string)text.Value),
            _ => ThrowLiteralConversionError(value),
        };

    public override object? ParseValue(object? value) =>
        value switch
        {
            null => null,
            int or long => new WrittenNumber(FormattableString.Invariant($"{value}")),
            WrittenNumber number => number,
            string text when NumberText.IsNumber(text) => new WrittenNumber(text),
            _ => ThrowValueConversionError(value),
        };
}

/// <summary>A text that has a form, which whoever takes it checks.</summary>
sealed class TextScalar : ScalarGraphType
{
    public TextScalar(string name, string description) => (Name, Description) = (name, description);

    public override object? Serialize(object? value) => value;

    public override object? ParseLiteral(GraphQLValue value) =>
        value switch
        {
            GraphQLNullValue => null,
            GraphQLStringValue text => (string)text.Value,
            GraphQLIntValue number => (string)number.Value,
            _ => ThrowLiteralConversionError(value),
        };

    public override object? ParseValue(object? value) =>
        value switch
        {
            null => null,
            string => value,
            int or long => FormattableString.Invariant($"{value}"),
            _ => ThrowValueConversionError(value),
        };
}

/// <summary>The scalars of one schema: types of a library's schema are its own.</summary>
sealed class GraphScalars
{
    public JsonScalar Json { get; } = new();

    public NumberScalar Number { get; } =
        new("Number", "A number, with all its digits: read from a number or a string.");

    public NumberScalar Integer { get; } =
        new("Integer", "A whole number, with all its digits: read from a number or a string.");

    public TextScalar Time { get; } = new("DateTime", "A time as in RFC 3339, such as 2026-01-31T12:00:00Z.");

    public TextScalar Position { get; } = new("Position", "A position of the log, as a string of digits.");

    public StringGraphType Text { get; } = new();

    public BooleanGraphType Truth { get; } = new();

    public IntGraphType Int { get; } = new();

    public IdGraphType Id { get; } = new();

    public IEnumerable<ScalarGraphType> All => [Text, Truth, Int, Id, Json, Number, Integer, Time, Position];

    public ScalarGraphType Of(GraphKind kind) =>
        kind switch
        {
            GraphKind.Text => Text,
            GraphKind.Time => Time,
            GraphKind.Truth => Truth,
            GraphKind.Int => Int,
            GraphKind.Integer => Integer,
            GraphKind.Number => Number,
            _ => Json,
        };
}
