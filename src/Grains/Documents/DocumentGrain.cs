namespace Resources.Grains;

sealed class DocumentGrain(EventLog log, Snapshots snapshots, StoreContact contact, TimeProvider time)
    : EventSourcedGrain<DocumentBook, DocumentEvent>(log, snapshots, contact, time),
        IDocumentGrain
{
    public async Task<Reply<int>> Execute(DocumentCommand command, Intent intent)
    {
        var reply = await Transact(intent, (state, context) => DocumentBook.Decide(state, command, context));
        return new(reply.Value?.Lengths.Count ?? 0, reply.Version, reply.Position, reply.Replayed, reply.Rejection);
    }

    protected override DocumentBook Evolve(DocumentBook? state, Recorded<DocumentEvent> recorded) =>
        DocumentBook.Evolve(state, recorded);
}
