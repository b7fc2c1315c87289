using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using GraphQLParser.AST;

namespace Resources.Api;

/// <summary>
/// What is traced, measured and logged of operations: a span for each, and one for each statement that reads; times and
/// costs by the name of the operation. Names are the clients' own, so only some are told apart.
/// </summary>
sealed class GraphTelemetry(ILogger<GraphTelemetry> logger, GraphOptions options)
{
    public static readonly ActivitySource Activities = new("Resources.GraphQL");

    /// <summary>Operations of further names are measured together.</summary>
    const int MaxNames = 200;

    const int LongestName = 100;

    static readonly Meter Meter = new(Activities.Name);

    static readonly Histogram<double> Time = Meter.CreateHistogram<double>(
        "resources.graphql.operation",
        "s",
        "Time of one operation",
        advice: new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10],
        }
    );

    static readonly Histogram<long> Cost = Meter.CreateHistogram<long>(
        "resources.graphql.cost",
        description: "Cost of one operation",
        advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000] }
    );

    static readonly Counter<long> Documents = Meter.CreateCounter<long>(
        "resources.graphql.documents",
        description: "Documents of operations: kept from earlier requests, or read"
    );

    /// <summary>Counts a document.</summary>
    /// <param name="isKept">Whether an earlier request had it parsed and found valid.</param>
    public static void Count(bool isKept) =>
        Documents.Add(1, new KeyValuePair<string, object?>("found", isKept ? "kept" : "read"));

    readonly ConcurrentDictionary<string, string> names = new(StringComparer.Ordinal);

    /// <summary>Runs an operation, and tells how that went.</summary>
    public async Task<GraphOutcome> RunAsync(GraphPrepared prepared, Func<Task<GraphOutcome>> run)
    {
        var kind = prepared.Operation?.Operation switch
        {
            OperationType.Mutation => "mutation",
            OperationType.Subscription => "subscription",
            _ => "query",
        };
        var name = NameOf(prepared.Operation?.Name?.StringValue);
        using var span = Activities.StartActivity($"{kind} {name}");
        var began = Stopwatch.GetTimestamp();
        var outcome = await run();
        var took = Stopwatch.GetElapsedTime(began);
        var result =
            !outcome.HasBegun ? "refused"
            : outcome.Errors.All is [] ? "ok"
            : "errors";
        span?.SetTag("graphql.operation.type", kind)
            .SetTag("graphql.operation.name", name)
            .SetTag("graphql.document.hash", prepared.Hash)
            .SetTag("graphql.outcome", result);
        var tags = new TagList
        {
            { "graphql.operation.type", kind },
            { "graphql.operation.name", name },
            { "outcome", result },
        };
        Time.Record(took.TotalSeconds, tags);
        if (outcome.Cost is { } cost)
            Cost.Record(cost, tags);
        if (took.TotalMilliseconds >= options.SlowMilliseconds)
            logger.LogWarning(
                "The {Kind} {Name} of the document {Hash} took {Milliseconds} ms at a cost of {Cost}.",
                kind,
                name,
                prepared.Hash,
                (long)took.TotalMilliseconds,
                outcome.Cost
            );
        return outcome;
    }

    string NameOf(string? given) =>
        given is null ? "anonymous"
        : given.Length > LongestName ? "other"
        : names.TryGetValue(given, out var known) ? known
        : names.Count < MaxNames ? names.GetOrAdd(given, given)
        : "other";
}
