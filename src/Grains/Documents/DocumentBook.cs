using System.Collections.Immutable;
using System.Diagnostics;

namespace Resources.Grains;

/// <summary>Which documents are trusted: a pure function of their events. Their texts are in the events only.</summary>
/// <param name="Lengths">The number of characters of each document, by its hash.</param>
[GenerateSerializer, Immutable, Alias("document-book")]
public sealed record DocumentBook(ImmutableDictionary<string, int> Lengths)
{
    /// <summary>The stream of the documents, and the key of their grain.</summary>
    public static readonly Guid Id = DerivedId.Of("documents");

    /// <summary>The upper bound of documents, as every node that runs one keeps all of them in memory.</summary>
    public const int MaxDocuments = 5_000;

    /// <summary>The upper bound of their characters together.</summary>
    public const int MaxCharacters = 8 << 20;

    public static readonly DocumentBook Empty = new(ImmutableDictionary<string, int>.Empty);

    public static DocumentBook Evolve(DocumentBook? state, Recorded<DocumentEvent> recorded)
    {
        var lengths = (state ?? Empty).Lengths;
        return new(
            recorded.Data switch
            {
                DocumentStored e => lengths.SetItem(e.Hash, e.Text.Length),
                DocumentRemoved e => lengths.Remove(e.Hash),
                _ => throw new UnreachableException($"No arm for {recorded.Data.GetType().Name}."),
            }
        );
    }

    public static Decision<DocumentEvent> Decide(DocumentBook? state, DocumentCommand command, DecisionContext context)
    {
        var lengths = (state ?? Empty).Lengths;
        return command switch
        {
            StoreDocument c when lengths.ContainsKey(c.Hash) => [],
            StoreDocument c
                when lengths.Count >= MaxDocuments
                    || lengths.Values.Sum(length => (long)length) + c.Text.Length > MaxCharacters => new Rejection(
                Refusal.TooManyDocuments,
                $"There may be at most {MaxDocuments} documents, with {MaxCharacters} characters together."
            ),
            StoreDocument c => [new DocumentStored(c.Hash, c.Text)],
            RemoveDocument c => lengths.ContainsKey(c.Hash)
                ? [new DocumentRemoved(c.Hash)]
                : new Rejection(Refusal.DocumentNotFound, "There is no document with this hash."),
            _ => throw new UnreachableException($"No decision for {command.GetType().Name}."),
        };
    }
}
