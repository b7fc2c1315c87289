using GraphQL;
using GraphQL.Validation;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>
/// The rules of the specification, as far as the first errors. The library looks for similar names for each name that is
/// not there, among all that are.
/// </summary>
sealed class DocumentRules : ValidationRuleBase, INodeVisitor
{
    /// <summary>The rules for documents that were not found valid before.</summary>
    public static readonly IValidationRule[] All = [.. DocumentValidator.CoreRules, new DocumentRules()];

    public override ValueTask<INodeVisitor?> GetPreNodeVisitorAsync(ValidationContext context) => new(this);

    public ValueTask EnterAsync(ASTNode node, ValidationContext context) =>
        context.HasErrors && context.Errors.Count() >= GraphErrors.Max
            ? throw new UnfitError([.. context.Errors])
            : default;

    public ValueTask LeaveAsync(ASTNode node, ValidationContext context) => default;
}

/// <summary>A document with so many errors that its validation was ended.</summary>
sealed class UnfitError(IReadOnlyList<ValidationError> found) : ExecutionError("The document is not valid.")
{
    /// <summary>The errors until then.</summary>
    public IReadOnlyList<ValidationError> Found => found;
}
