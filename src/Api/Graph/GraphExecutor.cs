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

/// <summary>Runs operations: limits first, then the document, then what it reads and writes.</summary>
sealed class GraphExecutor(
    GraphSchemas schemas,
    DocumentReader reader,
    DocumentCache documents,
    ResourceDoor door,
    GraphTelemetry telemetry,
    RefusalNotes refusals
)
{
    public static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);

    /// <summary>Answers that several subscriptions have.</summary>
    public EventAnswers Answers { get; } = new();

    readonly DocumentExecuter executer = new(
        DocumentCheck.Parser,
        new KnownDocumentValidator(),
        new RowStrategies(),
        []
    );

    /// <inheritdoc cref="DocumentReader.ReadAsync"/>
    public ValueTask<(GraphPrepared? Prepared, GraphErrors Errors)> PrepareAsync(
        Caller caller,
        GraphRequest request,
        CancellationToken ct
    ) => reader.ReadAsync(caller, request, ct);

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
        && await PrepareAsync(caller, request, ct) is ({ } again, var anew)
            ? (again, anew)
            : null;

    /// <inheritdoc cref="DocumentReader.IsTrustedAsync"/>
    public ValueTask<bool> IsTrustedAsync(GraphPrepared prepared, CancellationToken ct) =>
        reader.IsTrustedAsync(prepared.Hash, ct);

    /// <summary>When a type was declared; null where none is named, or it is not declared any more.</summary>
    public DateTimeOffset? DeclaredAt(string? type) => type is null ? null : schemas.DeclaredAt(type);

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
        operation.Document = prepared.Document;
        if (prepared.Document.Plans is { } plans)
            operation.Plans = plans;
        var execution = new ExecutionOptions
        {
            Schema = prepared.Schema.Schema,
            Document = prepared.Document.Document,
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
        execution.ValidationRules = root is not null || prepared.IsValid ? [] : DocumentRules.All;
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
            IsRead = true,
            IsMutation = prepared.IsMutation,
            IsOfEvent = root is not null,
            HasBegun = cost.HasBegun,
            Refusal = operation.Refusal,
            Memory = [.. operation.TakeMemory(), .. operation.Reads.TakeMemory()],
        };
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
