using System.Text;
using System.Text.Json;
using GraphQL;
using Resources.Grains;

namespace Resources.Api;

/// <summary>GraphQL over HTTP.</summary>
static class GraphEndpoint
{
    public const string MediaType = "application/graphql-response+json";

    static readonly Parameter Query = Parameter.Text("query", "The document.", "{ __typename }", DocumentScan.MaxLength);

    static readonly Parameter[] Parameters =
    [
        Query,
        Parameter.Text("operationName", "Which operation of the document to run.", "Books", 255),
        Parameter.Text("variables", "The variables, as a JSON object.", "{}", DocumentScan.MaxLength),
        Parameter.Text("extensions", "Further members, as a JSON object.", "{}", 4096),
    ];

    public static void MapGraph(this RouteGroupBuilder api)
    {
        var graph = api.MapGroup("/graphql").WithTags("graphql");
        graph
            .MapPost("", PostAsync)
            .AlsoAnswers(MediaType)
            .WithName("executeGraphQL")
            .WithSummary("Run a GraphQL operation")
            .WithDescription(
                "Queries and mutations, as GraphQL over HTTP has them. Errors are in the answer; what is refused before the "
                    + "document is looked at is a problem document."
            )
            .TakesHeaders(RequestHeaders.IdempotencyKey, ResourceParameters.MinPosition)
            .Carries(AnswerHeaders.Position)
            .TakesBody<GraphBody>("""{"query":"{ resources(first: 5) { nodes { id name } } }"}""")
            .Answers<GraphAnswer>(200)
            .Refuses(413, 415);
        graph
            .MapRead("", GetAsync)
            .AlsoAnswers(MediaType)
            .WithName("queryGraphQL")
            .WithSummary("Run a GraphQL query")
            .WithDescription("Queries only: a mutation is sent by POST.")
            .TakesQuery(Parameters)
            .TakesHeaders(ResourceParameters.MinPosition)
            .Carries(AnswerHeaders.Position)
            .Answers<GraphAnswer>(200)
            .Refuses(405);
        graph
            .MapRead("/schema.graphql", SchemaAsync)
            .AlsoAnswers("text/plain")
            .WithName("getGraphQLSchema")
            .WithSummary("Get the GraphQL schema")
            .WithDescription("In GraphQL's own language, with the types that the caller sees.");
        graph
            .MapRead("/limits", () => Answer.Of(GraphLimits.InForce))
            .WithName("getGraphQLLimits")
            .WithSummary("Get the limits of GraphQL operations")
            .Answers<Envelope<GraphLimits>>(200);
    }

    static Task<Answer> PostAsync(HttpContext context, GraphExecutor executor) =>
        RequestBody.TakeAsync(
            context,
            GraphRequest.Read,
            request => executor.RunAsync(context, request!, canWrite: true)
        );

    static async Task<Answer> GetAsync(HttpContext context, GraphExecutor executor)
    {
        var query = new QueryReader(context.Request);
        var faults = query.Faults;
        var text = query.Text("query");
        if (text is null)
            faults.Report("?query", FaultCode.Required, "A request needs a query.");
        var request = new GraphRequest(text, query.Text("operationName"), Json("variables"), Json("extensions"));
        return faults is [] ? await executor.RunAsync(context, request, canWrite: false) : Answer.Invalid(faults);

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

    static async Task<Answer> SchemaAsync(HttpContext context, GraphSchemas schemas)
    {
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
public sealed record GraphBody(
    string Query,
    string? OperationName = null,
    JsonElement? Variables = null,
    JsonElement? Extensions = null
);

/// <summary>What GraphQL answers.</summary>
/// <param name="Data">What was asked for; not there when nothing was run.</param>
public sealed record GraphAnswer(JsonElement? Data, JsonElement? Errors, JsonElement? Extensions);
