using System.Collections.Concurrent;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Whether trusted documents fit the schema of all declared types.</summary>
sealed class DocumentVerdicts(GraphSchemas schemas, TrustedDocuments trusted, TimeProvider time)
{
    /// <summary>Of the documents that a change breaks, so many are named.</summary>
    public const int Shown = 100;

    /// <summary>How long a node looks for them, and a caller waits for its turn.</summary>
    static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(20);

    readonly SemaphoreSlim turn = new(1);
    volatile Known known = new(0, []);

    /// <summary>Whether a document fits the schema of today.</summary>
    public async Task<bool> FitsAsync(TrustedDocument document, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var schema = schemas.OfAll();
        var now = known;
        if (now.Schema != schema.Number)
            known = now = new(schema.Number, []);
        if (now.Verdicts.TryGetValue(document.Hash, out var fits))
            return fits;
        return now.Verdicts[document.Hash] = await IsFitAsync(schema, document, ct);
    }

    /// <summary>The first documents, by hash, that fit the schema of today and would not once a type is changed.</summary>
    /// <returns>Their hashes, and whether all documents were looked at.</returns>
    /// <exception cref="StoreOverloadedException">Others were looking at this node for too long.</exception>
    public async Task<(string[] Hashes, bool IsComplete)> BrokenByAsync(TypeDefinition change, CancellationToken ct)
    {
        var documents = (await trusted.AllAsync(ct))
            .Values.OrderBy(each => each.Hash, StringComparer.Ordinal)
            .ToArray();
        if (documents is [])
            return ([], true);
        if (!await turn.WaitAsync(MaxTime, ct))
            throw new StoreOverloadedException("Other dry runs are under way at this node.");
        try
        {
            var began = time.GetTimestamp();
            var schema = schemas.After(change);
            var broken = new List<string>();
            foreach (var document in documents)
            {
                if (time.GetElapsedTime(began) > MaxTime)
                    return ([.. broken], false);
                if (await FitsAsync(document, ct) && !await IsFitAsync(schema, document, ct))
                    broken.Add(document.Hash);
                if (broken.Count == Shown)
                    break;
            }
            return ([.. broken], true);
        }
        finally
        {
            turn.Release();
        }
    }

    static async Task<bool> IsFitAsync(GraphSchema schema, TrustedDocument document, CancellationToken ct) =>
        (await DocumentCheck.AgainstAsync(schema, document.Text, ct)).All is [];

    sealed record Known(long Schema, ConcurrentDictionary<string, bool> Verdicts);
}
