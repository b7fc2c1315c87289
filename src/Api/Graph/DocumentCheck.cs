using GraphQL;
using GraphQL.Execution;
using GraphQL.Validation;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>Reads documents within the limits, and finds out whether they fit a schema.</summary>
static class DocumentCheck
{
    /// <summary>The parser counts every part of a tree.</summary>
    public static readonly GraphQLDocumentBuilder Parser = new() { MaxDepth = 4 * DocumentScan.MaxDepth };

    static readonly DocumentValidator Validator = new();

    /// <summary>Reads a document; the errors say why it is refused.</summary>
    /// <param name="isShown">Whether it may ask what the schema is.</param>
    public static GraphQLDocument? Read(string text, bool isShown, GraphErrors errors)
    {
        if (DocumentScan.Refuse(text, out var isTorn) is { } tooMuch)
        {
            errors.Add(new RefusedError(ProblemType.TooComplex, tooMuch));
            return null;
        }
        if (isTorn)
        {
            errors.Add(new TornNumberError());
            return null;
        }
        GraphQLDocument document;
        try
        {
            document = Parser.Build(WithPlainLines(text));
        }
        catch (ExecutionError error)
        {
            errors.Add(error);
            return null;
        }
        var (refused, asksForSchema) = DocumentGuard.Look(document);
        if (refused is not null)
            errors.Add(new RefusedError(ProblemType.TooComplex, refused));
        else if (asksForSchema && !isShown)
            errors.Add(new RefusedError(ProblemType.Forbidden, "The schema is not shown here."));
        return errors.All is [] ? document : null;
    }

    /// <summary>Ends lines with a line feed alone: on others the parser fails while it tells where a fault is.</summary>
    static string WithPlainLines(string text) =>
        text.Contains('\r', StringComparison.Ordinal)
            ? text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n')
            : text;

    /// <summary>Holds a text against a schema; the errors say what is wrong with it.</summary>
    public static async Task<GraphErrors> AgainstAsync(GraphSchema schema, string text, CancellationToken ct)
    {
        var errors = new GraphErrors(null);
        if (Read(text, isShown: true, errors) is not { } document)
            return errors;
        var operations = document.Definitions.OfType<GraphQLOperationDefinition>().ToArray();
        if (operations is not [var first, ..])
        {
            errors.Add(new NoOperationError());
            return errors;
        }
        // The rules go through the whole document, whichever of its operations is named.
        var found = await Validator.ValidateAsync(
            new()
            {
                Schema = schema.Schema,
                Document = document,
                Operation = first,
                Variables = Inputs.Empty,
                CancellationToken = ct,
            }
        );
        // The values of variables come with each request.
        foreach (var error in found.Errors.Where(error => error is not InvalidVariableError))
            errors.Add(error);
        return errors;
    }
}
