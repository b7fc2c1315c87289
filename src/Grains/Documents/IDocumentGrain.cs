namespace Resources.Grains;

/// <summary>The trusted documents of GraphQL. There is one such grain; its key is <see cref="DocumentBook.Id"/>.</summary>
[Alias("resources.IDocumentGrain")]
public interface IDocumentGrain : IGrainWithGuidKey
{
    /// <summary>
    /// Runs a command; answers how many documents there are. Refused as <see cref="Refusal.TooManyDocuments"/> or
    /// <see cref="Refusal.DocumentNotFound"/>.
    /// </summary>
    [Alias("Execute")]
    Task<Reply<int>> Execute(DocumentCommand command, Intent intent);
}
