namespace Resources.Grains;

/// <summary>A command of the trusted documents.</summary>
[GenerateSerializer, Immutable, Alias("document-command")]
public abstract record DocumentCommand(string Hash);

/// <summary>Stores a document; storing it again changes nothing.</summary>
[GenerateSerializer, Immutable, Alias("document-store")]
public sealed record StoreDocument(string Hash, string Text) : DocumentCommand(Hash);

[GenerateSerializer, Immutable, Alias("document-remove")]
public sealed record RemoveDocument(string Hash) : DocumentCommand(Hash);
