namespace Resources.Api;

/// <summary>
/// What subscriptions were answered lately. Those of one document that show an event alone, and no resource, have one
/// answer, whoever asks: it is made once, and the others send the same bytes.
/// </summary>
sealed class EventAnswers
{
    const int MaxBytes = 8 << 20;

    readonly Lock gate = new();
    readonly Dictionary<(ParsedDocument, string?, long), ReadOnlyMemory<byte>> answers = [];
    int bytes;

    /// <summary>Finds the answer of a document's operation for an event.</summary>
    /// <returns>Whether it is kept.</returns>
    public bool TryFind(GraphPrepared prepared, long position, out ReadOnlyMemory<byte> answer)
    {
        lock (gate)
            return answers.TryGetValue((prepared.Document, prepared.OperationName, position), out answer);
    }

    public void Keep(GraphPrepared prepared, long position, ReadOnlyMemory<byte> answer)
    {
        lock (gate)
        {
            // Subscriptions of one node are about at the same place: what is older is of no use.
            if (bytes + answer.Length > MaxBytes)
            {
                answers.Clear();
                bytes = 0;
            }
            if (
                answer.Length <= MaxBytes
                && answers.TryAdd((prepared.Document, prepared.OperationName, position), answer)
            )
                bytes += answer.Length;
        }
    }
}
