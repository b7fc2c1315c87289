using System.Text.Json;
using GraphQL;
using GraphQL.Execution;
using GraphQL.Types;
using GraphQLParser.AST;
using Resources.Projections;
using ExecutionContext = GraphQL.Execution.ExecutionContext;

namespace Resources.Api;

/// <summary>Fields of queries run side by side; those of mutations one after the other, as the document has them.</summary>
sealed class RowStrategies : IExecutionStrategySelector
{
    readonly Parallel parallel = new();
    readonly Serial serial = new();

    public IExecutionStrategy Select(ExecutionContext context) =>
        context.Operation.Operation is OperationType.Mutation ? serial : parallel;

    sealed class Parallel : ParallelExecutionStrategy
    {
        protected override ExecutionNode BuildExecutionNode(
            ExecutionNode parent,
            IGraphType graphType,
            GraphQLField field,
            FieldType fieldDefinition,
            int? indexInParentNode = null
        ) =>
            RowNodeOf(parent, graphType, field, fieldDefinition, indexInParentNode)
            ?? base.BuildExecutionNode(parent, graphType, field, fieldDefinition, indexInParentNode);

        protected override void SetSubFieldNodes(ExecutionContext context, ObjectExecutionNode parent)
        {
            if (PlanOf(context, parent, (type, set) => CollectFieldsFrom(context, type, set, null)) is { } plan)
                parent.SubFields = Nodes(plan, (field, type) =>
                    BuildExecutionNode(parent, type.ResolvedType!, field, type)
                );
            else
                base.SetSubFieldNodes(context, parent);
        }
    }

    sealed class Serial : SerialExecutionStrategy
    {
        protected override ExecutionNode BuildExecutionNode(
            ExecutionNode parent,
            IGraphType graphType,
            GraphQLField field,
            FieldType fieldDefinition,
            int? indexInParentNode = null
        ) =>
            RowNodeOf(parent, graphType, field, fieldDefinition, indexInParentNode)
            ?? base.BuildExecutionNode(parent, graphType, field, fieldDefinition, indexInParentNode);

        protected override void SetSubFieldNodes(ExecutionContext context, ObjectExecutionNode parent)
        {
            if (PlanOf(context, parent, (type, set) => CollectFieldsFrom(context, type, set, null)) is { } plan)
                parent.SubFields = Nodes(plan, (field, type) =>
                    BuildExecutionNode(parent, type.ResolvedType!, field, type)
                );
            else
                base.SetSubFieldNodes(context, parent);
        }
    }

    static RowNode? RowNodeOf(
        ExecutionNode parent,
        IGraphType graphType,
        GraphQLField field,
        FieldType fieldDefinition,
        int? indexInParentNode
    ) =>
        (graphType is NonNullGraphType { ResolvedType: { } inner } ? inner : graphType)
            is (RowType or MemberType or IAbstractGraphType)
                and var type
            ? new(parent, type, field, fieldDefinition, indexInParentNode)
            : null;

    static ExecutionNode[] Nodes(RowPlan plan, Func<GraphQLField, FieldType, ExecutionNode> build) =>
        [.. plan.Nodes.Select(node => build(node.Field, node.Type))];

    delegate Dictionary<string, (GraphQLField Field, FieldType Type)> Collector(
        IGraphType type,
        GraphQLSelectionSet selections
    );

    /// <summary>The plan of an object that is a row or a part of one; null for others.</summary>
    static RowPlan? PlanOf(ExecutionContext context, ObjectExecutionNode parent, Collector collect)
    {
        if (parent is not RowNode { Result: ResourceRow or JsonElement } node)
            return null;
        var plans = ((GraphOperation)context.UserContext).Plans;
        var type = node.GetObjectGraphType(context.Schema)!;
        var selections = node.SelectionSet!;
        if (!plans.TryGetValue((selections, type), out var plan))
            plans[(selections, type)] = plan = Plan(context.Schema, type, selections, collect);
        node.Plan = plan;
        return plan;
    }

    static RowPlan Plan(ISchema schema, IObjectGraphType type, GraphQLSelectionSet selections, Collector collect)
    {
        var entries = new List<RowPlan.Entry>();
        var nodes = new List<(GraphQLField, FieldType)>();
        foreach (var (name, (field, definition)) in collect(type, selections))
        {
            var key = JsonEncodedText.Encode(name);
            if (definition == schema.TypeNameMetaFieldType)
                entries.Add(new RowPlan.TypeName(key, type.Name));
            else if (definition is RowField row && Inner(field, definition) is { IsLeaf: true } leaf)
                entries.Add(new RowPlan.Row(key, row.Value, leaf.Plan));
            else if (definition is MemberField member && Inner(field, definition) is { IsLeaf: true } value)
                entries.Add(new RowPlan.Member(key, member.Member, value.Plan));
            else
            {
                entries.Add(new RowPlan.Node(key, nodes.Count));
                nodes.Add((field, definition));
            }
        }
        return new(entries, nodes);

        // An object in which something is resolved is a node itself.
        (bool IsLeaf, RowPlan? Plan) Inner(GraphQLField field, FieldType definition)
        {
            if (definition.ResolvedType!.GetNamedType() is not MemberType inner)
                return (true, null);
            var plan = Plan(schema, inner, field.SelectionSet!, collect);
            return (plan.Nodes is [], plan);
        }
    }
}
