using System.Text.Json;
using System.Text.Json.Serialization;
using GraphQLParser.AST;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>A trusted document.</summary>
/// <param name="Hash">The SHA-256 of the text, in lower-case hexadecimal digits.</param>
/// <param name="Operations">The names of its operations; one without a name is not among them.</param>
/// <param name="Fits">Whether it fits the schema of all declared types.</param>
/// <param name="StoredBy">The account.</param>
/// <param name="Text">The document; not in lists.</param>
public sealed record GraphDocument(
    string Hash,
    IReadOnlyList<string> Operations,
    bool Fits,
    DateTimeOffset StoredAt,
    string StoredBy,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Text = null
);

/// <summary>What storing a document takes.</summary>
public sealed record GraphDocumentRequest(string Text);

/// <summary>The trusted documents: where the server says so, callers run no others.</summary>
static class DocumentEndpoints
{
    const int StandardPage = 50;
    const int MaxPage = 200;

    static readonly Parameter Hash = Parameter.Text(
        "hash",
        "The SHA-256 of the document's text, in lower-case hexadecimal digits.",
        "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38",
        64,
        "^[0-9a-f]{64}$"
    );

    static readonly Parameter Cursor = Hash with
    {
        Name = "cursor",
        Description = "The `meta.page.next` of the previous page.",
    };

    public static void MapDocuments(this RouteGroupBuilder graph)
    {
        var documents = graph.MapGroup("/documents");
        documents
            .MapRead("", ListAsync)
            .Require(Permissions.DocumentManage)
            .WithName("listGraphQLDocuments")
            .WithSummary("List trusted documents")
            .WithDescription("Sorted by hash, without their texts.")
            .TakesQuery(Cursor, PageParameters.Limit)
            .Answers<Envelope<IReadOnlyList<GraphDocument>>>(200);
        var one = documents.MapGroup("/{hash}").TakesPath(Hash);
        one.MapRead("", GetAsync)
            .Require(Permissions.DocumentManage)
            .WithName("getGraphQLDocument")
            .WithSummary("Get a trusted document")
            .Answers<Envelope<GraphDocument>>(200)
            .Refuses(404);
        one.MapPut("", StoreAsync)
            .Require(Permissions.DocumentManage)
            .WithName("storeGraphQLDocument")
            .Audits("document.stored")
            .WithSummary("Store a trusted document")
            .WithDescription(
                "The document must fit the schema of the types that you may see. Storing it again changes nothing."
            )
            .TakesBody<GraphDocumentRequest>("""{"text":"{ __typename }"}""")
            .Answers<Envelope<GraphDocument>>(200)
            .Refuses(409, 413, 415);
        one.MapDelete("", RemoveAsync)
            .Require(Permissions.DocumentManage)
            .WithName("removeGraphQLDocument")
            .Audits("document.removed")
            .WithSummary("Remove a trusted document")
            .WithDescription("Within a second, every node that runs trusted documents only refuses it.")
            .Produces(204)
            .Refuses(404);
    }

    static async Task<Answer> ListAsync(HttpContext context, TrustedDocuments trusted, DocumentVerdicts verdicts)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(StandardPage, MaxPage);
        var after = query.Text("cursor");
        if (after is not null && GraphRequest.Hashed(after) is null)
            query.Fail<string>(Cursor.Name, "takes the meta.page.next of the previous page");
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);
        var ct = context.RequestAborted;
        var found = (await trusted.AllAsync(ct))
            .Values.Where(document => after is null || string.CompareOrdinal(document.Hash, after) > 0)
            .OrderBy(document => document.Hash, StringComparer.Ordinal)
            .Take(limit + 1)
            .ToArray();
        var shown = new List<GraphDocument>();
        foreach (var document in found.Take(limit))
            shown.Add(Shown(document, await verdicts.FitsAsync(document, ct)));
        return new Answer<IReadOnlyList<GraphDocument>>(shown)
        {
            Page = new(limit, found.Length > limit ? shown[^1].Hash : null),
        };
    }

    static async Task<Answer> GetAsync(
        HttpContext context,
        string hash,
        TrustedDocuments trusted,
        DocumentVerdicts verdicts
    ) =>
        (await trusted.AllAsync(context.RequestAborted)).GetValueOrDefault(hash) is { } document
            ? Answer.Of(
                Shown(document, await verdicts.FitsAsync(document, context.RequestAborted)) with
                {
                    Text = document.Text,
                }
            )
            : Answer.Refused(ProblemType.DocumentNotFound, "There is no document with this hash.");

    static Task<Answer> StoreAsync(
        HttpContext context,
        string hash,
        IClusterClient cluster,
        GraphSchemas schemas,
        TrustedDocuments trusted
    ) =>
        RequestBody.TakeAsync(
            context,
            (body, faults) => Read(body, hash, faults),
            async asked =>
            {
                var ct = context.RequestAborted;
                var caller = context.Caller();
                var schema = schemas.Of(caller);
                var errors = await DocumentCheck.AgainstAsync(schema, asked.Text, ct);
                // A type may have been declared through another node just now.
                if (errors.All is not [] && await schemas.HasMovedAsync(caller, schema, ct))
                    errors = await DocumentCheck.AgainstAsync(schemas.Of(caller), asked.Text, ct);
                if (errors.All is not [])
                    return Answer.Invalid([.. errors.All.Select(error => new Fault("/text", error.Code, Told(error)))]);
                var reply = await ExecuteAsync(context, cluster, new StoreDocument(hash, asked.Text));
                if (reply.Rejection is { } rejection)
                    return rejection;
                // Somebody may have removed it since.
                return (await trusted.AllAsync(ct)).GetValueOrDefault(hash) is { } stored
                    ? Answer.Of(Shown(stored, fits: true))
                    : Answer.Refused(ProblemType.DocumentNotFound, "There is no document with this hash.");
            }
        );

    static async Task<Answer> RemoveAsync(HttpContext context, string hash, IClusterClient cluster)
    {
        var reply = await ExecuteAsync(context, cluster, new RemoveDocument(hash));
        return reply.Rejection is { } rejection ? rejection : Answer.Empty();
    }

    static Task<Reply<int>> ExecuteAsync(HttpContext context, IClusterClient cluster, DocumentCommand command) =>
        ClusterCalls.SendAsync(context.Intend(), intent =>
            cluster.GetGrain<IDocumentGrain>(DocumentBook.Id).Execute(command, intent)
        );

    static GraphDocumentRequest Read(JsonElement body, string hash, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var text = reader.Text("text", 1, DocumentScan.MaxLength);
        reader.RefuseOthers();
        if (text is not null && DocumentCache.HashOf(text) != hash)
            faults.Report("/text", "OTHER_HASH", "The address has to have the SHA-256 of this text.");
        return new(text!);
    }

    static string Told(GraphError error) =>
        error.Locations is [var at, ..] ? $"Line {at.Line}, column {at.Column}: {error.Message}" : error.Message;

    static GraphDocument Shown(TrustedDocument document, bool fits) =>
        new(document.Hash, Names(document.Text), fits, document.StoredAt, document.StoredBy);

    /// <summary>The names of the operations of a document that was read before.</summary>
    static string[] Names(string text) =>
        [
            .. DocumentCheck
                .Parser.Build(text)
                .Definitions.OfType<GraphQLOperationDefinition>()
                .Select(operation => operation.Name?.StringValue)
                .OfType<string>(),
        ];
}
