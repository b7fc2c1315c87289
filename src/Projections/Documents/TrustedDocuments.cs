using System.Collections.Frozen;
using JasperFx.Events;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>A document that callers may run.</summary>
public sealed record TrustedDocument(string Hash, string Text, DateTimeOffset StoredAt, string StoredBy);

/// <summary>
/// The trusted documents of GraphQL, as this node knows them. It reads their stream when somebody asks for one: what was
/// stored anywhere is found by the next request, and what was removed is gone within <see cref="MaxAge"/>.
/// </summary>
public sealed class TrustedDocuments
{
    /// <summary>A document that is known is not looked for again for so long.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMilliseconds(250);

    readonly EventLog log;
    readonly TimeProvider time;
    readonly SharedRead<Known> reads;
    volatile Known known = new(FrozenDictionary<string, TrustedDocument>.Empty, 0, 0, 0);

    public TrustedDocuments(EventLog log, TimeProvider time)
    {
        (this.log, this.time) = (log, time);
        // Nobody may take what was never read for new.
        known = known with { At = time.GetTimestamp() - time.TimestampFrequency };
        reads = new(ReadAsync);
    }

    /// <summary>Every document, by its hash, as of this call or later.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    public async Task<IReadOnlyDictionary<string, TrustedDocument>> AllAsync(CancellationToken ct) =>
        (await reads.GetAsync().WaitAsync(ct)).Documents;

    /// <summary>A document by its hash; null when there is none.</summary>
    /// <inheritdoc cref="AllAsync"/>
    public async ValueTask<TrustedDocument?> FindAsync(string hash, CancellationToken ct) =>
        time.GetElapsedTime(known.At) < MaxAge && known.Documents.GetValueOrDefault(hash) is { } found
            ? found
            : (await AllAsync(ct)).GetValueOrDefault(hash);

    async Task<Known> ReadAsync()
    {
        var asked = time.GetTimestamp();
        var before = known;
        var (version, position) = await log.HeadAsync(DocumentBook.Id);
        if (version == before.Version && position == before.Position)
            return known = before with { At = asked };
        // With the newest event that is known: where the log has lost it, another one may be in its place.
        var events = before.Version is 0 ? [] : await log.ReadAsync(DocumentBook.Id, before.Version - 1);
        var documents = before.Documents.ToDictionary();
        if (events is not [{ Sequence: var found }, ..] || found != before.Position)
        {
            documents.Clear();
            events = await log.ReadAsync(DocumentBook.Id);
        }
        foreach (var stored in events)
            Apply(documents, stored);
        return known = events is [.., var last]
            ? new(documents.ToFrozenDictionary(), last.Version, last.Sequence, asked)
            : new(FrozenDictionary<string, TrustedDocument>.Empty, 0, 0, asked);
    }

    static void Apply(Dictionary<string, TrustedDocument> documents, IEvent stored)
    {
        if (stored.Data is DocumentStored e)
            documents[e.Hash] = new(e.Hash, e.Text, stored.Timestamp, stored.UserName!);
        else if (stored.Data is DocumentRemoved removed)
            documents.Remove(removed.Hash);
    }

    /// <param name="Version">The version of the stream that they are of, and the position of its event.</param>
    /// <param name="At">When the stream was looked at.</param>
    sealed record Known(FrozenDictionary<string, TrustedDocument> Documents, long Version, long Position, long At);
}
