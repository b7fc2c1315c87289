using System.Collections.Concurrent;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Whether trusted documents fit the schema of all declared types.</summary>
sealed class DocumentVerdicts(GraphSchemas schemas, TrustedDocuments trusted)
{
    /// <summary>Of the documents that a change breaks, so many are named.</summary>
    public const int Shown = 100;

    volatile Known known = new(0, []);

    /// <summary>Whether a document fits the schema of today.</summary>
    public async Task<bool> FitsAsync(TrustedDocument document, CancellationToken ct)
    {
        var schema = schemas.OfAll();
        if (known.Schema != schema.Number)
            known = new(schema.Number, []);
        var verdicts = known.Verdicts;
        if (verdicts.TryGetValue(document.Hash, out var fits))
            return fits;
        return verdicts[document.Hash] = await IsFitAsync(schema, document, ct);
    }

    /// <summary>The first documents, by hash, that fit the schema of today and would not once a type is changed.</summary>
    public async Task<string[]> BrokenByAsync(TypeDefinition change, CancellationToken ct)
    {
        var documents = (await trusted.AllAsync(ct)).Values;
        if (!documents.Any())
            return [];
        var schema = schemas.After(change);
        var broken = new List<string>();
        foreach (var document in documents.OrderBy(document => document.Hash, StringComparer.Ordinal))
            if (broken.Count < Shown && await FitsAsync(document, ct) && !await IsFitAsync(schema, document, ct))
                broken.Add(document.Hash);
        return [.. broken];
    }

    static async Task<bool> IsFitAsync(GraphSchema schema, TrustedDocument document, CancellationToken ct) =>
        (await DocumentCheck.AgainstAsync(schema, document.Text, ct)).All is [];

    sealed record Known(long Schema, ConcurrentDictionary<string, bool> Verdicts);
}
