using System.Diagnostics;
using GraphQL;
using GraphQLParser.AST;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A request whose document was looked at.</summary>
/// <param name="Operation">What it runs; null where the document has no such operation.</param>
/// <param name="IsValid">Whether it was found valid before.</param>
/// <param name="Wanted">The hash by which it is to be kept when it is found valid; null where it is not.</param>
/// <param name="Hash">The hash of the document's text.</param>
sealed record GraphPrepared(
    GraphSchema Schema,
    bool IsValid,
    string? Wanted,
    string Hash,
    ParsedDocument Document,
    GraphQLOperationDefinition? Operation,
    string? OperationName,
    Inputs Variables
)
{
    public bool IsMutation => Operation is { Operation: OperationType.Mutation };

    public bool IsSubscription => Operation is { Operation: OperationType.Subscription };
}

/// <summary>Finds the document that a request sends or names, and reads it as far as that costs little.</summary>
sealed class DocumentReader(
    GraphSchemas schemas,
    DocumentCache documents,
    TrustedDocuments trusted,
    GraphOptions options
)
{
    /// <returns>The document, or why it is refused.</returns>
    /// <exception cref="Grains.StoreUnavailableException">Whether it is trusted cannot be read.</exception>
    public async ValueTask<(GraphPrepared? Prepared, GraphErrors Errors)> ReadAsync(
        Caller caller,
        GraphRequest request,
        CancellationToken ct
    )
    {
        var errors = new GraphErrors(Activity.Current?.TraceId.ToHexString());
        var text = request.Query;
        if (text?.Length > DocumentScan.MaxLength)
            return Refused(ProblemType.TooComplex, DocumentScan.TooLong);
        var hash = text is null ? request.Hash : DocumentCache.HashOf(text);
        if (text is not null && request.Hash is { } sent && sent != hash)
            return Refused(ProblemType.ValidationFailed, "The hash is not that of the document.");
        var onlyTrusted = options.Documents is GraphDocuments.Trusted;
        if (onlyTrusted && (text = await TrustedAsync(hash, ct)) is null)
            return Refused(ProblemType.DocumentNotTrusted, "Only documents that are stored here are run.");
        // A document that is not stored would be run by its id for as long as it is in the cache.
        if (request.IsOfDocument && !onlyTrusted && (text = await TrustedAsync(hash, ct)) is null)
            return Refused(ProblemType.DocumentNotFound, "No document with this id is stored here.");
        var schema = schemas.Of(caller);
        var isKnown = false;
        if (hash is not null && documents.Find(schema.Number, hash, out isKnown) is { } kept)
        {
            GraphTelemetry.Count(isKept: true);
            return (Of(kept, isValid: true, isWanted: false), errors);
        }
        text ??= await TrustedAsync(hash, ct);
        if (text is null)
            return Refused(ProblemType.NotPersisted, "Send the document with its hash.");
        GraphTelemetry.Count(isKept: false);
        var isShown = options.Introspection is not GraphIntrospection.Off;
        return DocumentCheck.Read(text, isShown, errors) is { } document
            ? (Of(document, isValid: false, isWanted: isKnown || onlyTrusted), errors)
            : (null, errors);

        GraphPrepared Of(ParsedDocument found, bool isValid, bool isWanted) =>
            new(
                schema,
                isValid,
                isWanted ? hash : null,
                hash!,
                found,
                Operation(found.Document, request.OperationName),
                request.OperationName,
                request.Inputs()
            );

        (GraphPrepared?, GraphErrors) Refused(ProblemType type, string why)
        {
            errors.Add(new RefusedError(type, why));
            return (null, errors);
        }
    }

    /// <summary>Whether a document may be run, as far as that is known: it may have been removed.</summary>
    /// <exception cref="Grains.StoreUnavailableException">That cannot be read.</exception>
    public async ValueTask<bool> IsTrustedAsync(string hash, CancellationToken ct) =>
        options.Documents is not GraphDocuments.Trusted || await TrustedAsync(hash, ct) is not null;

    async ValueTask<string?> TrustedAsync(string? hash, CancellationToken ct) =>
        hash is null ? null : (await trusted.FindAsync(hash, ct))?.Text;

    /// <summary>The operation that a request names, or the only one; null where there is none.</summary>
    static GraphQLOperationDefinition? Operation(GraphQLDocument document, string? name)
    {
        var all = document.Definitions.OfType<GraphQLOperationDefinition>().ToArray();
        return name is null or ""
            ? all is [var only]
                ? only
                : null
            : Array.Find(all, each => each.Name is { } own && own.Value == name);
    }
}
