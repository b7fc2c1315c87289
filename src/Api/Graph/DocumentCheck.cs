using GraphQL;
using GraphQL.Execution;
using GraphQL.Validation;
using GraphQLParser;
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
    public static ParsedDocument? Read(string text, bool isShown, GraphErrors errors)
    {
        var scan = DocumentScan.Of(text);
        if (scan.TooMuch is { } tooMuch)
        {
            errors.Add(new RefusedError(ProblemType.TooComplex, tooMuch));
            return null;
        }
        if ((scan.Fault ?? FaultOfLongLines(scan)) is { } fault)
        {
            errors.Add(new NotGraphQlError(fault));
            return null;
        }
        GraphQLDocument document;
        try
        {
            document = Parser.Build(scan.Text);
        }
        catch (ExecutionError error)
        {
            errors.Add(error);
            return null;
        }
        var guard = DocumentGuard.Look(document);
        if (guard.TooMuch is { } refused)
            errors.Add(new RefusedError(ProblemType.TooComplex, refused));
        else if (guard.AsksForSchema && !isShown)
            errors.Add(new RefusedError(ProblemType.Forbidden, "The schema is not shown here."));
        return errors.All is [] ? new(document, guard.Merges) : null;
    }

    /// <summary>
    /// Where a document with long lines is not GraphQL, null where it is. The parser takes seconds to tell of a fault at
    /// the end of one: it is asked about the same tokens on lines of their own.
    /// </summary>
    static Location? FaultOfLongLines(DocumentScan scan)
    {
        if (!scan.HasLongLine)
            return null;
        try
        {
            Parser.Build(scan.Lines());
            return null;
        }
        catch (ExecutionError error)
        {
            return scan.PlaceOf(error.Locations is [var first, ..] ? first.Line : 1);
        }
    }

    /// <summary>Holds a text against a schema; the errors say what is wrong with it.</summary>
    public static async Task<GraphErrors> AgainstAsync(GraphSchema schema, string text, CancellationToken ct)
    {
        var errors = new GraphErrors(null);
        if (Read(text, isShown: true, errors) is not { Document: var document })
            return errors;
        var operations = document.Definitions.OfType<GraphQLOperationDefinition>().ToArray();
        if (operations is not [var first, ..])
        {
            errors.Add(new NoOperationError());
            return errors;
        }
        try
        {
            // The rules go through the whole document, whichever of its operations is named.
            var found = await Validator.ValidateAsync(
                new()
                {
                    Schema = schema.Schema,
                    Document = document,
                    Operation = first,
                    Rules = DocumentRules.All,
                    Variables = Inputs.Empty,
                    CancellationToken = ct,
                }
            );
            // The values of variables come with each request.
            foreach (var error in found.Errors.Where(error => error is not InvalidVariableError))
                errors.Add(error);
        }
        catch (UnfitError error)
        {
            errors.Add(error);
        }
        return errors;
    }
}
