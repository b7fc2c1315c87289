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

    int reads;

    /// <summary>The cost of the operation, and how many statements it needs; the cost is at least above the most.</summary>
    public static (long Cost, int Reads) Of(IExecutionContext context)
    {
        var cost = new DocumentCost(context);
        var root = context.Operation.Operation switch
        {
            OperationType.Mutation => context.Schema.Mutation,
            OperationType.Subscription => context.Schema.Subscription,
            _ => context.Schema.Query,
        };
        var fields = context.Operation.SelectionSet.Selections.Count;
        var own = context.Operation.Operation is OperationType.Mutation ? (long)OfMutation * fields : 0;
        return (own + cost.Of(root!, context.Operation.SelectionSet, false), cost.reads);
    }

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
        return cost;
    }

    GraphQLFragmentDefinition? FragmentOf(GraphQLFragmentSpread spread) =>
        context
            .Document.Definitions.OfType<GraphQLFragmentDefinition>()
            .FirstOrDefault(each => each.FragmentName.Name.Value == spread.FragmentName.Name.Value);

    long OfField(IGraphType type, GraphQLField field, bool isFiltered)
    {
        if ((type as IComplexGraphType)?.GetField(field.Name) is not { } definition)
            return 0;
        var inner = definition.ResolvedType!.GetNamedType();
        switch (definition)
        {
            case ListField:
                reads++;
                var arguments = context.ArgumentValues?.TryGetValue(field, out var given) is true ? given : null;
                var first = arguments?.TryGetValue("first", out var number) is true ? number.Value as int? ?? 20 : 20;
                isFiltered = new[] { "filter", "q", "where" }.Any(name =>
                    arguments?.TryGetValue(name, out var value) is true && value.Value is not null
                );
                return OfList + Math.Max(1, first) * Math.Max(1, Of(inner, field.SelectionSet, isFiltered));
            case ReferenceField:
                reads++;
                return OfReference + Of(inner, field.SelectionSet, false);
            case CountField:
                return isFiltered ? OfFilteredCount : OfCount;
            default:
                return (inner is IComplexGraphType ? 1 : 0) + Of(inner, field.SelectionSet, isFiltered);
        }
    }
}
