namespace Resources.Grains;

/// <summary>
/// The events of the trusted documents of GraphQL. All of them share one stream, so a node that has read it up to its head
/// knows each document. As with <see cref="ResourceEvent"/>, these records are the stored format.
/// </summary>
public abstract record DocumentEvent;

/// <summary>From now on callers may run the document.</summary>
/// <param name="Hash">The SHA-256 of the text, in lower-case hexadecimal digits.</param>
[Event("document.stored")]
public sealed record DocumentStored(string Hash, string Text) : DocumentEvent;

[Event("document.removed")]
public sealed record DocumentRemoved(string Hash) : DocumentEvent;
