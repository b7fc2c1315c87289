using System.Buffers;
using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using GraphQL;
using GraphQL.Execution;
using GraphQL.Validation;
using GraphQLParser.AST;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api;

/// <summary>Runs operations: limits first, then the document, then what it reads and writes.</summary>
sealed class GraphExecutor(GraphSchemas schemas, ResourceDoor door)
{
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);

    /// <summary>The parser counts every part of a tree.</summary>
    static readonly GraphQLDocumentBuilder Parser = new() { MaxDepth = 4 * DocumentScan.MaxDepth };

    readonly DocumentExecuter executer = new(Parser, new DocumentValidator(), new RowStrategies(), []);

    /// <summary>Runs a request.</summary>
    /// <param name="canWrite">Whether it may have mutations.</param>
    public async Task<Answer> RunAsync(HttpContext context, GraphRequest request, bool canWrite)
    {
        var errors = new GraphErrors(Activity.Current?.TraceId.ToHexString());
        if (DocumentScan.Refuse(request.Query!) is { } tooMuch)
            return Refused(tooMuch);
        GraphQLDocument document;
        try
        {
            document = Parser.Build(request.Query!);
        }
        catch (ExecutionError error)
        {
            errors.Add(error);
            return new GraphResponse(errors, null, null, null);
        }
        if (DocumentGuard.Refuse(document) is { } refused)
            return Refused(refused);
        if (!canWrite && Operation(document, request.OperationName) is { Operation: OperationType.Mutation })
            return Answer.Refused(
                ProblemType.MethodNotAllowed,
                "A mutation is sent by POST.",
                headers: ("Allow", "POST")
            );
        var query = new QueryReader(new QueryCollection());
        var wanted = Consistency.Read(query, context.Request);
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);
        var caller = context.Caller();
        await using var reads = new GraphReads(caller, door, wanted, context.RequestAborted);
        var operation = new GraphOperation(caller, context, reads);
        var options = new ExecutionOptions
        {
            Schema = await schemas.OfAsync(caller, context.RequestAborted),
            Document = document,
            OperationName = request.OperationName,
            Variables = request.Inputs(),
            UserContext = operation,
            CancellationToken = context.RequestAborted,
            Timeout = MaxTime,
            UnhandledExceptionDelegate = thrown =>
            {
                var (type, detail) = Problems.Tell(thrown.OriginalException, context);
                thrown.Exception = new RefusedError(type, detail);
                return Task.CompletedTask;
            },
        };
        var cost = new CostListener(operation);
        options.Listeners.Add(cost);
        var result = await executer.ExecuteAsync(options);
        foreach (var error in result.Errors ?? [])
            errors.Add(error);
        return new GraphResponse(errors, result, reads.Position, cost.Cost);

        Answer Refused(string why)
        {
            errors.Add(new RefusedError(GraphFeature.TooComplex, why));
            return new GraphResponse(errors, null, null, null);
        }
    }

    /// <summary>The operation that a request names, or the only one; null where there is none.</summary>
    static GraphQLOperationDefinition? Operation(GraphQLDocument document, string? name)
    {
        var all = document.Definitions.OfType<GraphQLOperationDefinition>().ToArray();
        return name is null or "" ? all is [var only] ? only : null
            : Array.Find(all, each => each.Name is { } own && own.Value == name);
    }

    sealed class CostListener(GraphOperation operation) : DocumentExecutionListenerBase
    {
        public long? Cost { get; private set; }

        public override Task AfterValidationAsync(IExecutionContext context, IValidationResult validationResult)
        {
            if (!validationResult.IsValid)
                return Task.CompletedTask;
            var (cost, statements) = DocumentCost.Of(context);
            Cost = cost;
            operation.Reads.IsSingle = statements is 1;
            if (cost > DocumentCost.Max)
                context.Errors.Add(
                    new RefusedError(
                        GraphFeature.TooComplex,
                        $"The operation would cost {cost}; at most {DocumentCost.Max} is allowed."
                    )
                );
            return Task.CompletedTask;
        }
    }
}

/// <summary>An answer of GraphQL, with the status that its media type asks for.</summary>
/// <param name="result">Null where nothing was run.</param>
sealed class GraphResponse(GraphErrors errors, ExecutionResult? result, long? at, long? cost) : Answer
{
    protected override Task WriteBodyAsync(HttpContext context)
    {
        var accepted = Accepted.Read(context.Request);
        var isOwn =
            context.Request.Headers.Accept.Count > 0
            && accepted.Prefers("application", "graphql-response+json");
        var output = new ArrayBufferWriter<byte>(4096);
        using (
            var json = new Utf8JsonWriter(
                output,
                new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }
            )
        )
            Write(json);
        ResponseMemory.Hold(context, output.WrittenCount);
        var response = context.Response;
        if (at is { } position)
            Responses.SetPosition(context, position);
        if (isOwn && result?.Executed is not true)
            response.StatusCode = StatusCodes.Status400BadRequest;
        response.ContentType = isOwn ? GraphEndpoint.MediaType : "application/json";
        response.ContentLength = output.WrittenCount;
        response.BodyWriter.Write(output.WrittenSpan);
        return Task.CompletedTask;
    }

    void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (result?.Executed is true)
        {
            json.WritePropertyName("data");
            new GraphWriter(json, errors).Write(result.Data);
        }
        if (errors.All is not [])
        {
            json.WritePropertyName("errors");
            errors.Write(json);
        }
        json.WriteStartObject("extensions");
        if (at is { } position)
            json.WriteString("position", Responses.Text(position));
        if (cost is { } counted)
            json.WriteNumber("cost", counted);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
