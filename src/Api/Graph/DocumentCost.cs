using GraphQL;
using GraphQL.Execution;
using GraphQL.Types;
using GraphQL.Validation;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>
/// What an operation costs, of its arguments and before anything of it is read; and whether it reads more than one list,
/// which then are of one moment.
/// </summary>
sealed class DocumentCost(IExecutionContext context)
{
    public const int Max = 5_000;

    const int OfList = 10;
    const int OfReference = 2;
    const int OfCount = 20;
    const int OfFilteredCount = 100;
    const int OfMutation = 50;
    const int OfPast = 20;
    const int OfSchema = 100;

    /// <summary>What a list of references is taken for: their number is not known before.</summary>
    const int ListedReferences = 5;

    /// <summary>Where counting ends.</summary>
    const long Endless = 1_000_000_000;

    int reads;

    /// <summary>The cost of the operation, how many statements it needs, and how many fields stand at its root.</summary>
    public static (long Cost, int Reads, int Roots) Of(IExecutionContext context)
    {
        var cost = new DocumentCost(context);
        var root = context.Operation.Operation switch
        {
            OperationType.Mutation => context.Schema.Mutation,
            OperationType.Subscription => context.Schema.Subscription,
            _ => context.Schema.Query,
        };
        var fields = cost.Fields(context.Operation.SelectionSet);
        var own = context.Operation.Operation is OperationType.Mutation ? (long)OfMutation * fields : 0;
        return (own + cost.Of(root!, context.Operation.SelectionSet, false), cost.reads, fields);
    }

    int Fields(GraphQLSelectionSet? set) =>
        (set?.Selections ?? []).Sum(selection =>
            selection switch
            {
                GraphQLField => 1,
                GraphQLInlineFragment inline => Fields(inline.SelectionSet),
                GraphQLFragmentSpread spread => Fields(FragmentOf(spread)?.SelectionSet),
                _ => 0,
            }
        );

    long Of(IGraphType type, GraphQLSelectionSet? set, bool isFiltered)
    {
        var cost = 0L;
        foreach (var selection in set?.Selections ?? [])
            cost += selection switch
            {
                GraphQLField field => OfField(type, field, isFiltered),
                GraphQLInlineFragment { TypeCondition: { } condition } inline => Of(
                    context.Schema.AllTypes[condition.Type.Name] ?? type,
                    inline.SelectionSet,
                    isFiltered
                ),
                GraphQLInlineFragment inline => Of(type, inline.SelectionSet, isFiltered),
                GraphQLFragmentSpread spread when FragmentOf(spread) is { } fragment => Of(
                    context.Schema.AllTypes[fragment.TypeCondition.Type.Name] ?? type,
                    fragment.SelectionSet,
                    isFiltered
                ),
                _ => 0,
            };
        return Math.Min(cost, Endless);
    }

    GraphQLFragmentDefinition? FragmentOf(GraphQLFragmentSpread spread) =>
        context
            .Document.Definitions.OfType<GraphQLFragmentDefinition>()
            .FirstOrDefault(each => each.FragmentName.Name.Value == spread.FragmentName.Name.Value);

    long OfField(IGraphType type, GraphQLField field, bool isFiltered)
    {
        if (field.Name.Value.Span is "__schema" or "__type")
            return OfSchema;
        if ((type as IComplexGraphType)?.GetField(field.Name) is not { } definition)
            return 0;
        var inner = definition.ResolvedType!.GetNamedType();
        switch (definition)
        {
            case ListField list:
                reads++;
                var arguments = context.ArgumentValues?.TryGetValue(field, out var given) is true ? given : null;
                var first =
                    arguments?.TryGetValue("first", out var number) is true && number.Value is int asked
                        ? asked
                        : definition.Arguments?.Find("first")?.DefaultValue as int? ?? list.Most;
                isFiltered = new[] { "filter", "q", "where" }.Any(name =>
                    arguments?.TryGetValue(name, out var value) is true && value.Value is not null
                );
                var each = Math.Max(1, Of(inner, field.SelectionSet, isFiltered));
                return OfList + Math.Min(Endless, Math.Clamp(first, 1, list.Most) * each);
            case ReferenceField:
                reads++;
                var shown = Of(inner, field.SelectionSet, false);
                return OfReference + (definition.ResolvedType is ListGraphType ? ListedReferences * shown : shown);
            case CountField:
                return isFiltered ? OfFilteredCount : OfCount;
            default:
                if (
                    context.ArgumentValues?.TryGetValue(field, out var ofOne) is true
                    && new[] { "version", "at" }.Any(name =>
                        ofOne.TryGetValue(name, out var past) && past.Value is not null
                    )
                )
                    return OfPast + Of(inner, field.SelectionSet, isFiltered);
                return (inner is IComplexGraphType ? 1 : 0) + Of(inner, field.SelectionSet, isFiltered);
        }
    }
}
