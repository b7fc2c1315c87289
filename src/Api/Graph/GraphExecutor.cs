using System.Diagnostics;
using GraphQL;
using GraphQL.Execution;
using GraphQL.Types;
using GraphQL.Validation;
using GraphQLParser.AST;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

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
    GraphQLDocument Document,
    GraphQLOperationDefinition? Operation,
    string? OperationName,
    Inputs Variables
)
{
    public bool IsMutation => Operation is { Operation: OperationType.Mutation };

    public bool IsSubscription => Operation is { Operation: OperationType.Subscription };
}

/// <summary>Runs operations: limits first, then the document, then what it reads and writes.</summary>
sealed class GraphExecutor(
    GraphSchemas schemas,
    DocumentCache documents,
    ResourceDoor door,
    GraphOptions options,
    GraphTelemetry telemetry,
    RefusalNotes refusals
)
{
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);

    /// <summary>The parser counts every part of a tree.</summary>
    static readonly GraphQLDocumentBuilder Parser = new() { MaxDepth = 4 * DocumentScan.MaxDepth };

    readonly DocumentExecuter executer = new(Parser, new DocumentValidator(), new RowStrategies(), []);

    /// <summary>Looks at a document, as far as that costs little.</summary>
    /// <returns>The document, or why it is refused.</returns>
    public (GraphPrepared? Prepared, GraphErrors Errors) Prepare(Caller caller, GraphRequest request)
    {
        var errors = new GraphErrors(Activity.Current?.TraceId.ToHexString());
        var schema = schemas.Of(caller);
        var hash = request.Hash;
        if (request.Query is not { } text)
        {
            if (documents.Find(schema.Number, hash!, out _) is { } named)
                return (Of(named, isValid: true, isWanted: false), errors);
            errors.Add(new RefusedError(ProblemType.NotPersisted, "Send the document with its hash."));
            return (null, errors);
        }
        if (text.Length > DocumentScan.MaxLength)
            return Refused(DocumentScan.Refuse(text)!);
        hash = DocumentCache.HashOf(text);
        if (request.Hash is { } sent && sent != hash)
            return Refused("The hash is not that of the document.", ProblemType.ValidationFailed);
        if (documents.Find(schema.Number, hash, out var isKnown) is { } kept)
            return (Of(kept, isValid: true, isWanted: false), errors);
        if (DocumentScan.Refuse(text) is { } tooMuch)
            return Refused(tooMuch);
        GraphQLDocument document;
        try
        {
            document = Parser.Build(text);
        }
        catch (ExecutionError error)
        {
            errors.Add(error);
            return (null, errors);
        }
        var (refused, asksForSchema) = DocumentGuard.Look(document);
        return refused is not null ? Refused(refused)
            : asksForSchema && options.Introspection is GraphIntrospection.Off
                ? Refused("The schema is not shown here.", ProblemType.Forbidden)
            : (Of(document, isValid: false, isWanted: isKnown), errors);

        GraphPrepared Of(GraphQLDocument found, bool isValid, bool isWanted) =>
            new(
                schema,
                isValid,
                isWanted ? hash : null,
                hash!,
                found,
                Operation(found, request.OperationName),
                request.OperationName,
                request.Inputs()
            );

        (GraphPrepared?, GraphErrors) Refused(string why, ProblemType? type = null)
        {
            errors.Add(new RefusedError(type ?? ProblemType.TooComplex, why));
            return (null, errors);
        }
    }

    /// <summary>
    /// Runs a query or a mutation. One that does not fit the schema that this node has is refused by the newest one only.
    /// </summary>
    /// <param name="wanted">The position that lists must have passed; null = the log's head.</param>
    public Task<GraphOutcome> RunAsync(
        HttpContext http,
        Caller caller,
        GraphRequest request,
        GraphPrepared prepared,
        GraphErrors errors,
        long? wanted,
        CancellationToken ct
    ) => telemetry.RunAsync(prepared, () => RunOnceOrTwiceAsync(http, caller, request, prepared, errors, wanted, ct));

    async Task<GraphOutcome> RunOnceOrTwiceAsync(
        HttpContext http,
        Caller caller,
        GraphRequest request,
        GraphPrepared prepared,
        GraphErrors errors,
        long? wanted,
        CancellationToken ct
    )
    {
        await using var reads = new GraphReads(caller, door, wanted, ct);
        var outcome = await ExecuteAsync(prepared, new(caller, http, reads), errors, null, ct);
        return await AgainAsync(caller, request, prepared, outcome, ct) is var (again, anew)
            ? await ExecuteAsync(again, new(caller, http, reads), anew, null, ct)
            : outcome;
    }

    /// <summary>The same request for the newest schema, where it did not fit an older one; null where that is of no use.</summary>
    public async Task<(GraphPrepared Prepared, GraphErrors Errors)?> AgainAsync(
        Caller caller,
        GraphRequest request,
        GraphPrepared prepared,
        GraphOutcome outcome,
        CancellationToken ct
    ) =>
        !outcome.HasBegun
        && outcome.Errors.All.Any(error => error.Code is GraphErrors.Unfit or GraphErrors.UnfitVariables)
        && await schemas.HasMovedAsync(caller, prepared.Schema, ct)
        && Prepare(caller, request) is ({ } again, var anew)
            ? (again, anew)
            : null;

    /// <summary>Runs an operation.</summary>
    /// <param name="root">The event that a subscription is run for; null for others.</param>
    public async Task<GraphOutcome> ExecuteAsync(
        GraphPrepared prepared,
        GraphOperation operation,
        GraphErrors errors,
        object? root,
        CancellationToken ct
    )
    {
        var execution = new ExecutionOptions
        {
            Schema = prepared.Schema.Schema,
            Document = prepared.Document,
            OperationName = prepared.OperationName,
            Variables = prepared.Variables,
            Root = root,
            UserContext = operation,
            CancellationToken = ct,
            Timeout = MaxTime,
            UnhandledExceptionDelegate = thrown =>
            {
                var (type, detail) = Problems.Tell(thrown.OriginalException, operation.Http);
                thrown.Exception = new RefusedError(type, detail);
                return Task.CompletedTask;
            },
        };
        if (root is not null || prepared.IsValid)
            execution.ValidationRules = [];
        var cost = new CostListener(operation, isFree: root is not null);
        execution.Listeners.Add(cost);
        ExecutionResult result;
        try
        {
            result = await executer.ExecuteAsync(execution);
        }
        catch
        {
            foreach (var memory in operation.TakeMemory())
                memory.Dispose();
            throw;
        }
        if (cost.HasBegun && prepared.Wanted is { } hash)
            documents.Add(prepared.Schema.Number, hash, prepared.Document);
        foreach (var error in result.Errors ?? [])
            errors.Add(error);
        if (errors.All.Any(error => error.Code == ProblemType.Forbidden.Code))
            refusals.Note(operation.Http, operation.Caller);
        return new(result, errors, operation.Reads.Position, cost.Cost)
        {
            HasBegun = cost.HasBegun,
            Refusal = operation.Refusal,
            Memory = [.. operation.TakeMemory(), .. operation.Reads.TakeMemory()],
        };
    }

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

    sealed class CostListener(GraphOperation operation, bool isFree) : DocumentExecutionListenerBase
    {
        public long? Cost { get; private set; }

        /// <summary>Whether something of the operation may have been done. The library forgets it when time is over.</summary>
        public bool HasBegun { get; private set; }

        public override Task BeforeExecutionAsync(IExecutionContext context)
        {
            HasBegun = true;
            return Task.CompletedTask;
        }

        public override async Task AfterValidationAsync(IExecutionContext context, IValidationResult validationResult)
        {
            if (!validationResult.IsValid)
                return;
            var (cost, statements, roots) = DocumentCost.Of(context);
            Cost = cost;
            operation.Roots = roots;
            operation.Reads.IsSingle = statements is 1;
            if (cost > DocumentCost.Max)
                context.Errors.Add(
                    new RefusedError(
                        ProblemType.TooComplex,
                        $"The operation would cost {cost}; at most {DocumentCost.Max} is allowed."
                    )
                );
            else if (!isFree && !await operation.ChargeAsync(cost))
                context.Errors.Add(new RefusedError(ProblemType.RateLimited, "The limit is used up."));
        }
    }
}
