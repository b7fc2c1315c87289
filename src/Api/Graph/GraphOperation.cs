using System.Collections.Concurrent;
using GraphQL.Types;
using GraphQLParser.AST;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>One operation that is under way: who asks, what it reads from, and what was found on the way.</summary>
sealed class GraphOperation(Caller caller, HttpContext http, GraphReads reads) : Dictionary<string, object?>
{
    public const int CostOfPermit = 250;

    public Caller Caller => caller;

    /// <summary>The request, for what counts against its limits.</summary>
    public HttpContext Http => http;

    public GraphReads Reads => reads;

    /// <summary>The refusal of an operation for which the caller's limit has too little left.</summary>
    public Answer? Refusal { get; private set; }

    /// <summary>How many fields stand at the root, wherever they are spread.</summary>
    public int Roots { get; set; }

    /// <summary>Memory that was taken for rows.</summary>
    readonly ConcurrentQueue<MemoryLease> memories = [];

    /// <summary>Holds memory of rows until the answer was sent.</summary>
    public void Hold(MemoryLease memory) => memories.Enqueue(memory);

    /// <summary>Hands the memory to whoever sends the answer.</summary>
    public IReadOnlyList<MemoryLease> TakeMemory() => [.. memories];

    /// <summary>
    /// Counts what an operation costs: one permit for each part of it, and at least one for each field at its root. The
    /// request has taken the first.
    /// </summary>
    public async ValueTask<bool> ChargeAsync(long cost)
    {
        var limits = http.RequestServices.GetRequiredService<RateLimits>();
        for (var more = Math.Max((cost - 1) / CostOfPermit, Roots - 1); more > 0; more--)
            if (http.Response.HasStarted)
            {
                if (!await limits.TakeAsync(RateLimits.Default, caller.Id))
                    return false;
            }
            else if (await limits.RefusalAsync(http, RateLimits.Default, caller.Id) is { } refused)
            {
                Refusal = refused;
                return false;
            }
        return true;
    }

    /// <summary>What a subscription asks for, once its field was looked at.</summary>
    public GraphAsked? Asked { get; set; }

    /// <summary>The document that it is of.</summary>
    public ParsedDocument? Document { get; set; }

    /// <summary>The plans of the rows that it shows.</summary>
    public RowPlans Plans { get; set; } = [];
}
