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
    volatile Known known;

    public TrustedDocuments(EventLog log, TimeProvider time)
    {
        (this.log, this.time) = (log, time);
        // Nobody may take what was never read for new.
        known = Nothing(time.GetTimestamp() - time.TimestampFrequency);
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
        // The newest event that is known is read again: where the log has lost it, another one may be in its place.
        var after = Math.Max(0, before.Version - 1);
        var documents = before.Documents.ToDictionary();
        var last = (Version: 0L, Position: 0L);
        var isSame = true;
        await log.ReadPastAsync(DocumentBook.Id, after, 0, null, stored =>
        {
            isSame = stored.Version != before.Version || stored.Sequence == before.Position;
            if (!isSame)
                return false;
            Apply(documents, stored);
            last = (stored.Version, stored.Sequence);
            return true;
        });
        if (before.Version > 0 && (!isSame || last.Version < before.Version))
        {
            known = Nothing(asked);
            return await ReadAsync();
        }
        return known = new(documents.ToFrozenDictionary(), last.Version, last.Position, asked);
    }

    static Known Nothing(long at) => new(FrozenDictionary<string, TrustedDocument>.Empty, 0, 0, at);

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
