using System.Text.Json;
using System.Text.Json.Serialization;
using GraphQL;
using GraphQL.Execution;
using GraphQL.Validation;
using GraphQL.Validation.Errors;
using GraphQLParser;
using Resources.Grains;

namespace Resources.Api;

/// <summary>A refusal of a field.</summary>
sealed class RefusedError : ExecutionError
{
    public RefusedError(Rejection rejection)
        : this(ProblemType.Of(rejection.Kind), rejection.Detail, rejection.Faults) => Rejection = rejection;

    public RefusedError(ProblemType type, string detail, IReadOnlyList<Fault>? faults = null)
        : base(detail) => (Type, Faults) = (type, faults);

    public ProblemType Type { get; }

    public IReadOnlyList<Fault>? Faults { get; }

    public Rejection? Rejection { get; }
}

/// <summary>A document that was found not to be GraphQL before it was parsed.</summary>
sealed class NotGraphQlError : ExecutionError
{
    /// <param name="at">Where it is not.</param>
    public NotGraphQlError(Location at)
        : base("The document is not GraphQL.") => AddLocation(at);
}

/// <summary>
/// The errors of an answer: at most some, with codes of their own, and with nothing in them that was sent or thrown.
/// </summary>
sealed class GraphErrors(string? traceId)
{
    /// <summary>More are not told.</summary>
    public const int Max = 20;

    /// <summary>The code of a document that is not GraphQL.</summary>
    public const string Unread = "GRAPHQL_PARSE_FAILED";

    /// <summary>The code of a document that does not fit the schema.</summary>
    public const string Unfit = "GRAPHQL_VALIDATION_FAILED";

    /// <summary>The code of variables that do not.</summary>
    public const string UnfitVariables = "BAD_VARIABLES";

    readonly List<GraphError> all = [];

    public IReadOnlyList<GraphError> All => all;

    /// <summary>Says that what is stored is not what its field is.</summary>
    public void AddUnfit(IReadOnlyList<object> path) =>
        Keep(
            new("The stored value is not of the field's type; see metadataJson.", "OUT_OF_RANGE", null, [], path, null)
        );

    /// <summary>Tells a fault of the document, or a refusal of a field.</summary>
    public void Add(ExecutionError error)
    {
        if (error is UnfitError unfit)
            foreach (var found in unfit.Found)
                Add(found);
        else
            Keep(Of(error));
    }

    static GraphError Of(ExecutionError error) =>
        error switch
        {
            RefusedError refused => new(
                refused.Message,
                refused.Type.Code,
                refused.Type.Status,
                [.. error.Locations ?? []],
                [.. error.Path ?? []],
                refused.Faults
            ),
            _ => new(Text(error), Code(error), null, [.. error.Locations ?? []], [.. error.Path ?? []], null),
        };

    void Keep(GraphError error)
    {
        if (all.Count < Max)
            all.Add(error);
    }

    static string Code(ExecutionError error) =>
        error switch
        {
            SyntaxError or NotGraphQlError => Unread,
            InvalidVariableError => UnfitVariables,
            NoOperationError or NoOperationNameError or InvalidOperationNameError => "OPERATION_NOT_FOUND",
            TimeoutError => ProblemType.QueryTimeout.Code,
            ValidationError or DocumentError => Unfit,
            _ => ProblemType.InternalError.Code,
        };

    static string Text(ExecutionError error) =>
        error switch
        {
            SyntaxError or NotGraphQlError => "The document is not GraphQL.",
            InvalidVariableError => "A variable has a value that is not of its type.",
            NoOperationError => "The document has no operation.",
            NoOperationNameError => "The document has several operations: send operationName.",
            InvalidOperationNameError => "The document has no operation of this name.",
            FieldsOnCorrectTypeError => "The type has no such field.",
            KnownArgumentNamesError => "The field or directive takes no such argument.",
            KnownTypeNamesError => "There is no such type.",
            KnownDirectivesError => "There is no such directive.",
            KnownFragmentNamesError => "There is no such fragment.",
            DirectivesInAllowedLocationsError => "The directive cannot stand here.",
            ArgumentsOfCorrectTypeError or DefaultValuesOfCorrectTypeError =>
                "The value is not of the type that is taken here.",
            InvalidLiteralError or InvalidValueError => "The value is not of the type that is taken here.",
            ProvidedNonNullArgumentsError => "An argument that is needed is missing.",
            ScalarLeafsError => "A field of an object needs a selection, and any other takes none.",
            OverlappingFieldsCanBeMergedError => "Fields of the same name differ: give them aliases.",
            FragmentsOnCompositeTypesError or PossibleFragmentSpreadsError => "The fragment can never apply here.",
            NoFragmentCyclesError => "The fragment contains itself.",
            NoUnusedFragmentsError => "The fragment is not used.",
            NoUnusedVariablesError => "The variable is not used.",
            NoUndefinedVariablesError => "The variable is not declared.",
            VariablesAreInputTypesError => "The variable is not of an input type.",
            VariablesInAllowedPositionError => "The variable is not of the type that is taken here.",
            LoneAnonymousOperationError => "An operation without a name has to be the only one.",
            SingleRootFieldSubscriptionsError => "A subscription selects one field.",
            UniqueOperationNamesError
            or UniqueFragmentNamesError
            or UniqueVariableNamesError
            or UniqueArgumentNamesError
            or UniqueInputFieldNamesError
            or UniqueDirectivesPerLocationError => "The same name stands here twice.",
            OneOfInputValuesError => "Exactly one member of the input has to be given.",
            TimeoutError => "The operation took longer than it may.",
            ValidationError or DocumentError => "The document is not valid.",
            _ => "The fault was logged under the trace id.",
        };

    /// <summary>Writes the list.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartArray();
        foreach (var error in all)
        {
            json.WriteStartObject();
            json.WriteString("message", error.Message);
            if (error.Locations is not [])
            {
                json.WriteStartArray("locations");
                foreach (var location in error.Locations)
                {
                    json.WriteStartObject();
                    json.WriteNumber("line", location.Line);
                    json.WriteNumber("column", location.Column);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            if (error.Path is not [])
            {
                json.WriteStartArray("path");
                foreach (var step in error.Path)
                    if (step is int number)
                        json.WriteNumberValue(number);
                    else
                        json.WriteStringValue((string)step);
                json.WriteEndArray();
            }
            json.WriteStartObject("extensions");
            json.WriteString("code", error.Code);
            if (error.Status is { } status)
                json.WriteNumber("status", status);
            if (traceId is not null)
                json.WriteString("traceId", traceId);
            if (error.Faults is { Count: > 0 } faults)
            {
                json.WritePropertyName("errors");
                JsonSerializer.Serialize(json, faults, GraphJson.Default.IReadOnlyListFault);
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}

/// <summary>One error of an answer.</summary>
/// <param name="Status">The status of the same refusal in REST.</param>
sealed record GraphError(
    string Message,
    string Code,
    int? Status,
    IReadOnlyList<Location> Locations,
    IReadOnlyList<object> Path,
    IReadOnlyList<Fault>? Faults
);

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(Envelope<GraphLimits>))]
[JsonSerializable(typeof(Envelope<GraphDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<GraphDocument>>))]
[JsonSerializable(typeof(IReadOnlyList<Fault>))]
sealed partial class GraphJson : JsonSerializerContext;
