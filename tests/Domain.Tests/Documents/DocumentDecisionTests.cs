using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>The commands of the trusted documents: given events, when a command, then events or a refusal.</summary>
public class DocumentDecisionTests
{
    static readonly DocumentEvent Stored = new DocumentStored("one", "{ a }");

    [Fact]
    public void A_document_is_stored_once()
    {
        When([], new StoreDocument("one", "{ a }")).Is(new DocumentStored("one", "{ a }"));
        When([Stored], new StoreDocument("one", "{ a }")).IsNothing();
    }

    [Fact]
    public void A_document_that_was_removed_can_be_stored_again()
    {
        When([Stored], new RemoveDocument("one")).Is(new DocumentRemoved("one"));
        When([Stored, new DocumentRemoved("one")], new StoreDocument("one", "{ a }")).Is(Stored);
    }

    [Fact]
    public void What_is_not_stored_is_not_removed() =>
        When([Stored], new RemoveDocument("other")).IsRefused(Refusal.DocumentNotFound);

    [Fact]
    public void There_are_no_more_documents_than_a_node_keeps()
    {
        var full = Enumerable.Range(0, DocumentBook.MaxDocuments).Select(i => new DocumentStored($"{i}", "")).ToArray();
        When(full, new StoreDocument("one more", "")).IsRefused(Refusal.TooManyDocuments);
        When(full, new StoreDocument("1", "")).IsNothing();
        When([.. full, new DocumentRemoved("7")], new StoreDocument("one more", ""))
            .Is(new DocumentStored("one more", ""));
    }

    [Fact]
    public void Their_texts_are_no_longer_than_a_node_keeps()
    {
        DocumentEvent half = new DocumentStored("half", new('x', DocumentBook.MaxCharacters / 2));
        var other = new string('y', DocumentBook.MaxCharacters / 2);
        When([half], new StoreDocument("other", other)).Is(new DocumentStored("other", other));
        When([half], new StoreDocument("other", other + "y")).IsRefused(Refusal.TooManyDocuments);
    }

    static Decision<DocumentEvent> When(DocumentEvent[] given, DocumentCommand command)
    {
        var (state, version) = Outcome.After<DocumentBook, DocumentEvent>(given, DocumentBook.Evolve);
        return DocumentBook.Decide(state, command, Outcome.Context(version));
    }
}
