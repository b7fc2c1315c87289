using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using GraphQL;
using Microsoft.AspNetCore.Http;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>GraphQL over HTTP.</summary>
static class GraphEndpoint
{
    public const string MediaType = "application/graphql-response+json";

    static readonly Parameter Query = Parameter.Text(
        "query",
        "The document.",
        "{ __typename }",
        DocumentScan.MaxLength
    );

    static readonly Parameter DocumentId = Parameter.Text(
        "documentId",
        "A stored document, in place of the query: `sha256:` and the hash of its text.",
        "sha256:" + new string('0', 64),
        GraphRequest.MaxDocumentId
    );

    static readonly Parameter[] Parameters =
    [
        Query,
        DocumentId,
        Parameter.Text("operationName", "Which operation of the document to run.", "Books", 255),
        Parameter.Text("variables", "The variables, as a JSON object.", "{}", DocumentScan.MaxLength),
        Parameter.Text("extensions", "Further members, as a JSON object.", "{}", 4096),
    ];

    static readonly StreamsEvents Streams = new(
        "With `Accept: text/event-stream`, streams what the operation answers: a `next` for each answer of a subscription, "
            + "with the position as `id`, and `complete`."
    );

    public static void MapGraph(this RouteGroupBuilder api)
    {
        var graph = api.MapGroup("/graphql").WithTags("graphql");
        graph
            .MapPost("", PostAsync)
            .AlsoAnswers(MediaType)
            .WithMetadata(Streams)
            .WithName("executeGraphQL")
            .Audits(
                "resource.created",
                "resource.replaced",
                "resource.renamed",
                "resource.status_changed",
                "resource.metadata_changed",
                "resource.changed",
                "resource.deleted",
                "resource.restored"
            )
            .WithSummary("Run a GraphQL operation")
            .WithDescription(
                "Queries and mutations, as GraphQL over HTTP has them. Errors are in the answer; what is refused before the "
                    + "document is looked at is a problem document."
            )
            .TakesHeaders(RequestHeaders.IdempotencyKey, ResourceParameters.MinPosition)
            .Carries(AnswerHeaders.Position)
            .TakesBody<GraphBody>("""{"query":"{ resources(first: 5) { nodes { id name } } }"}""")
            .AnswersAsGraph()
            .Refuses(413, 415);
        // Who opens a socket may say who it is in its first message.
        graph
            .MapSocket("", GetAsync)
            .AllowAnonymous()
            .WithMetadata(new FindsCaller())
            .AlsoAnswers(MediaType)
            .WithMetadata(Streams)
            .WithName("queryGraphQL")
            .WithSummary("Run a GraphQL query")
            .WithDescription(
                "Queries only: a mutation is sent by POST. As a WebSocket it speaks `graphql-transport-ws`: queries, "
                    + "mutations and subscriptions."
            )
            .TakesQuery(Parameters)
            .TakesHeaders(ResourceParameters.MinPosition)
            .Carries(AnswerHeaders.Position)
            .AnswersAsGraph()
            .Refuses(405)
            .Produces(StatusCodes.Status101SwitchingProtocols);
        graph
            .MapRead("/schema.graphql", SchemaAsync)
            .AlsoAnswers("text/plain")
            .WithName("getGraphQLSchema")
            .WithSummary("Get the GraphQL schema")
            .WithDescription("In GraphQL's own language, with the types that the caller sees.")
            .TakesHeaders(RequestHeaders.IfNoneMatch)
            .Carries(AnswerHeaders.ETag)
            .Produces<string>(200, "text/plain")
            .Produces(304);
        graph
            .MapRead("/limits", () => Answer.Of(GraphLimits.InForce))
            .WithName("getGraphQLLimits")
            .WithSummary("Get the limits of GraphQL operations")
            .Answers<Envelope<GraphLimits>>(200);
        graph.MapDocuments();
    }

    static RouteHandlerBuilder AnswersAsGraph(this RouteHandlerBuilder endpoint) =>
        endpoint
            .Produces<GraphAnswer>(StatusCodes.Status200OK, "application/json", MediaType)
            .Produces<GraphAnswer>(GraphResponse.PartialSuccess, MediaType)
            .RefusesAs<GraphAnswer>([400, 403, 422], "application/json", MediaType);

    static Task<Answer> PostAsync(HttpContext context, GraphExecutor executor, ResourceDoor door) =>
        RequestBody.TakeAsync(context, GraphRequest.Read, request =>
            RunAsync(context, executor, door, request!, canWrite: true)
        );

    static async Task<Answer> RunAsync(
        HttpContext context,
        GraphExecutor executor,
        ResourceDoor door,
        GraphRequest request,
        bool canWrite
    )
    {
        var (prepared, errors) = await executor.PrepareAsync(context.Caller(), request, context.RequestAborted);
        if (prepared is null)
            return new GraphResponse(new(null, errors, null, null));
        if (prepared.IsMutation && !canWrite)
            return Answer.Refused(
                ProblemType.MethodNotAllowed,
                "A mutation is sent by POST.",
                headers: ("Allow", "POST")
            );
        if (WantsStream(Accepted.Read(context.Request), prepared.IsSubscription))
            return await GraphStream.RunAsync(context, executor, door, request, prepared, errors);
        if (prepared.IsSubscription)
            return Answer.Refused(
                ProblemType.NotAcceptable,
                "A subscription is sent with Accept: text/event-stream, or over a WebSocket."
            );
        var outcome = await ExecuteAsync(
            context,
            context.Caller(),
            executor,
            request,
            prepared,
            errors,
            context.RequestAborted
        );
        return outcome.Refusal ?? new GraphResponse(outcome);
    }

    /// <summary>
    /// Whether the answer is a stream. Clients name that beside JSON for whatever they send: so a single answer is one only
    /// where it is preferred.
    /// </summary>
    static bool WantsStream(Accepted accepted, bool isSubscription) =>
        accepted.Prefers("text", "event-stream")
        && (
            isSubscription
            || accepted.Weight("text", "event-stream") > accepted.Weight("application", "json")
                && accepted.Weight("text", "event-stream") > accepted.Weight("application", "graphql-response+json")
        );

    /// <summary>Runs a query or a mutation.</summary>
    internal static async Task<GraphOutcome> ExecuteAsync(
        HttpContext context,
        Caller caller,
        GraphExecutor executor,
        GraphRequest request,
        GraphPrepared prepared,
        GraphErrors errors,
        CancellationToken ct
    )
    {
        var query = new QueryReader(request.Consistency);
        var wanted = Consistency.Read(query, context.Request);
        if (query.Faults is [])
            return await executor.RunAsync(
                context,
                caller,
                request,
                prepared,
                errors,
                request.MinPosition ?? wanted,
                ct
            );
        errors.Add(new RefusedError(ProblemType.ValidationFailed, Problems.Summary(query.Faults), query.Faults));
        return new(null, errors, null, null);
    }

    static async Task<Answer> GetAsync(HttpContext context, GraphExecutor executor, ResourceDoor door)
    {
        var isGuest = context.User.Identity is not { IsAuthenticated: true };
        if (context.WebSockets.IsWebSocketRequest)
            return OpenSocket(context, executor, door, isGuest);
        if (isGuest)
            return Answer.Refused(
                ProblemType.Unauthenticated,
                "Send a valid access token: Authorization: Bearer <token>."
            );
        var query = new QueryReader(context.Request);
        var faults = query.Faults;
        var text = query.Text("query");
        var request = new GraphRequest(text, query.Text("operationName"), Json("variables"), Json("extensions"))
        {
            DocumentId = query.Text("documentId"),
        };
        if (faults is [] && request.FaultOfDocument is { } fault)
            faults.Add(fault with { Pointer = "?" + fault.Pointer[1..] });
        return faults is []
            ? await RunAsync(context, executor, door, request, canWrite: false)
            : Answer.Invalid(faults);

        JsonElement? Json(string name)
        {
            if (query.Text(name) is not { } value || value is "" or "null")
                return null;
            var wrong = new List<Fault>();
            using var document = StrictJson.Read(Encoding.UTF8.GetBytes(value), wrong);
            if (document?.RootElement.ValueKind is JsonValueKind.Object)
                return document.RootElement.Clone();
            query.Fail<string>(name, "takes a JSON object");
            return null;
        }
    }

    static Answer OpenSocket(HttpContext context, GraphExecutor executor, ResourceDoor door, bool isGuest)
    {
        if (!EventSocket.IsKnownOrigin(context.Request, context.RequestServices.GetRequiredService<OriginOptions>()))
            return Answer.Refused(ProblemType.Forbidden, "Pages of this origin may not open WebSockets here.");
        if (!context.WebSockets.WebSocketRequestedProtocols.Contains(GraphSocket.Protocol))
            return Answer.Invalid([
                new(
                    "header:Sec-WebSocket-Protocol",
                    "UNKNOWN_SUBPROTOCOL",
                    $"The subprotocol here is {GraphSocket.Protocol}."
                ),
            ]);
        var place = isGuest ? context.RequestServices.GetRequiredService<WaitingSockets>().Enter(context) : null;
        if (isGuest && place is null)
            return Answer.Refused(
                ProblemType.TooManyStreams,
                "Too many sockets of your address or of this node have not sent their token yet.",
                retryAfter: 10
            );
        return new StreamedAnswer(async _ =>
        {
            using (place)
            using (var socket = await context.WebSockets.AcceptWebSocketAsync(GraphSocket.Protocol))
            {
                Overload.Waits(context);
                var served = new GraphSocket(context, socket, executor, door, place);
                await served.ServeAsync(isGuest ? null : context.Caller());
            }
        });
    }

    static async Task<Answer> SchemaAsync(HttpContext context, GraphSchemas schemas, GraphOptions options)
    {
        if (options.Introspection is GraphIntrospection.Off)
            return Answer.Refused(ProblemType.Forbidden, "The schema is not shown here.");
        var text = await schemas.TextAsync(context.Caller(), context.RequestAborted);
        var tag = $"W/\"{DerivedId.Of(text):n}\"";
        return EntityTags.IsHeld(context.Request, tag)
            ? Answer.NotModified(tag)
            : new StreamedAnswer(async response =>
            {
                response.Response.ContentType = "text/plain; charset=utf-8";
                await response.Response.WriteAsync(text, response.RequestAborted);
            })
            {
                EntityTag = tag,
                IsCacheable = true,
            };
    }
}

/// <summary>What a request of GraphQL has.</summary>
/// <param name="Query">The document; not needed where another member names one.</param>
/// <param name="DocumentId">A stored document: <c>sha256:</c> and the hash of its text.</param>
public sealed record GraphBody(
    string? Query = null,
    string? DocumentId = null,
    string? OperationName = null,
    JsonElement? Variables = null,
    JsonElement? Extensions = null
);

/// <summary>What GraphQL answers.</summary>
/// <param name="Data">What was asked for; not there when nothing was run.</param>
public sealed record GraphAnswer(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Data,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Errors,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Extensions
);
