using GraphQL.Execution;
using GraphQL.Types;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>An object that may be a row or a part of one; then only what its plan says are nodes below it.</summary>
sealed class RowNode(
    ExecutionNode parent,
    IGraphType graphType,
    GraphQLField field,
    FieldType fieldDefinition,
    int? indexInParentNode
) : ObjectExecutionNode(parent, graphType, field, fieldDefinition, indexInParentNode)
{
    public RowPlan? Plan { get; set; }
}
