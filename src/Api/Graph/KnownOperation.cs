using GraphQL;
using GraphQL.Execution;
using GraphQL.Types;
using GraphQL.Validation;
using GraphQLParser;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>
/// An operation that was found valid, with what each of its requests has in common: only variables and the arguments that
/// use them are looked at again.
/// </summary>
sealed class KnownOperation
{
    /// <summary>The result of every request, where there are no variables.</summary>
    readonly IValidationResult? constant;

    /// <summary>The operation without its selections, which say nothing about the values of its variables.</summary>
    readonly GraphQLOperationDefinition hollow;
    readonly Dictionary<GraphQLField, IDictionary<string, ArgumentValue>> given = [];
    readonly List<(GraphQLField Field, QueryArguments Arguments)> varying = [];

    KnownOperation(
        GraphQLDocument document,
        GraphQLOperationDefinition operation,
        IValidationResult result,
        Sites sites
    )
    {
        constant = operation.Variables is null or { Count: 0 } ? result : null;
        hollow = new(new GraphQLSelectionSet([]))
        {
            Operation = operation.Operation,
            Name = operation.Name,
            Variables = operation.Variables,
        };
        foreach (var (field, arguments) in sites.All)
            if (Uses(document, field))
                varying.Add((field, arguments));
            else
                given[field] = result.ArgumentValues![field];
    }

    /// <summary>What is known of an operation of a valid request; null where too little is.</summary>
    public static KnownOperation? Of(in ValidationOptions request, IValidationResult result)
    {
        var context = ContextOf(request, request.Operation);
        // Where a variable may be null and its place not, the place decides about its value.
        if (
            result.DirectiveValues is not null
            || context.GetRecursiveVariables(request.Operation)?.Any(IsStricterThanVariable) is true
        )
            return null;
        var sites = new Sites(request.Schema, request.Document);
        sites.Walk(RootOf(request.Schema, request.Operation), request.Operation.SelectionSet);
        return
            sites.All.Count == (result.ArgumentValues?.Count ?? 0)
            && sites.All.All(site => result.ArgumentValues!.ContainsKey(site.Field))
            ? new(request.Document, request.Operation, result, sites)
            : null;

        bool IsStricterThanVariable(VariableUsage usage) =>
            usage.Type is NonNullGraphType
            && context.Operation.Variables?.FirstOrDefault(each => each.Variable.Name == usage.Node.Name)
                is not { Type: GraphQLNonNullType };
    }

    /// <summary>Looks at the variables of a request; null where they do not fit, which a validator tells better.</summary>
    public async ValueTask<IValidationResult?> ValidateAsync(ValidationOptions request)
    {
        if (constant is not null)
            return constant;
        var (variables, errors) = await ContextOf(request, hollow).GetVariablesValuesAsync();
        if (errors is not null)
            return null;
        var arguments = given;
        if (varying is not [])
        {
            arguments = new(given);
            try
            {
                foreach (var (field, definitions) in varying)
                    arguments[field] = ExecutionHelper.GetArguments(
                        definitions,
                        field.Arguments,
                        variables,
                        request.Document,
                        field,
                        null
                    )!;
            }
            catch (ValidationError)
            {
                return null;
            }
        }
        return new ValidationResult { Variables = variables, ArgumentValues = arguments };
    }

    static ValidationContext ContextOf(in ValidationOptions request, GraphQLOperationDefinition operation) =>
        new()
        {
            Schema = request.Schema,
            Document = request.Document,
            TypeInfo = new(request.Schema),
            Operation = operation,
            Variables = request.Variables,
            UserContext = request.UserContext,
            CancellationToken = request.CancellationToken,
        };

    static IObjectGraphType? RootOf(ISchema schema, GraphQLOperationDefinition operation) =>
        operation.Operation switch
        {
            OperationType.Mutation => schema.Mutation,
            OperationType.Subscription => schema.Subscription,
            _ => schema.Query,
        };

    /// <summary>Whether the arguments of a field may use variables: a text may have the sign, too.</summary>
    static bool Uses(GraphQLDocument document, GraphQLField field) =>
        field.Arguments!.Location is var place && document.Source.Span[place.Start..place.End].Contains('$');

    /// <summary>The fields of an operation that are given arguments.</summary>
    sealed class Sites(ISchema schema, GraphQLDocument document)
    {
        readonly HashSet<ROM> fragments = [];

        public List<(GraphQLField Field, QueryArguments Arguments)> All { get; } = [];

        public void Walk(IGraphType? type, GraphQLSelectionSet? set)
        {
            foreach (var selection in set?.Selections ?? [])
                switch (selection)
                {
                    case GraphQLField field when DefinitionOf(type, field) is { } definition:
                        if (field.Arguments?.Count > 0 && definition.Arguments?.Count > 0)
                            All.Add((field, definition.Arguments));
                        Walk(definition.ResolvedType?.GetNamedType(), field.SelectionSet);
                        break;
                    case GraphQLInlineFragment inline:
                        Walk(TypeOf(inline.TypeCondition) ?? type, inline.SelectionSet);
                        break;
                    case GraphQLFragmentSpread spread
                        when fragments.Add(spread.FragmentName.Name.Value)
                            && document.FindFragmentDefinition(spread.FragmentName.Name.Value) is { } fragment:
                        Walk(TypeOf(fragment.TypeCondition), fragment.SelectionSet);
                        break;
                }
        }

        IGraphType? TypeOf(GraphQLTypeCondition? condition) =>
            condition is null ? null : schema.AllTypes[condition.Type.Name.Value];

        FieldType? DefinitionOf(IGraphType? type, GraphQLField field) =>
            field.Name.Value == schema.TypeMetaFieldType.Name ? schema.TypeMetaFieldType
            : field.Name.Value == schema.SchemaMetaFieldType.Name ? schema.SchemaMetaFieldType
            : (type as IComplexGraphType)?.GetField(field.Name.Value);
    }
}

/// <summary>Validates documents, and those that were valid before by what is known of them.</summary>
sealed class KnownDocumentValidator : IDocumentValidator
{
    readonly DocumentValidator full = new();

    public Task<IValidationResult> ValidateAsync(in ValidationOptions options) =>
        options
            is { Rules: ICollection<IValidationRule> { Count: 0 }, UserContext: GraphOperation { Document: { } known } }
            ? ValidateAsync(options, known)
            : full.ValidateAsync(options);

    async Task<IValidationResult> ValidateAsync(ValidationOptions request, ParsedDocument document)
    {
        if (document.KnownOf(request.Operation) is { } known && await known.ValidateAsync(request) is { } told)
            return told;
        var result = await full.ValidateAsync(request);
        if (result.IsValid)
            document.Learn(request, result);
        return result;
    }
}
