using System.Security.Cryptography;

namespace Resources.Grains;

/// <summary>What must hold where a decision is appended, beside the version of its stream.</summary>
/// <param name="Fence">The rules that the decision was made by; null when there are none.</param>
/// <param name="Claims">The unique values that the append takes or gives back.</param>
/// <param name="References">The references that the append makes, at most 100, or ends.</param>
/// <param name="Unreferenced">Whether no other resource may refer to the stream.</param>
public sealed record Guards(Fence? Fence, Claim[] Claims, Reference[] References, bool Unreferenced)
{
    /// <summary>How many references a resource may have.</summary>
    public const int MaxReferences = 100;

    public Claim[] Claims { get; } =
        Array.TrueForAll(Claims, claim => claim.Value.Length is SHA256.HashSizeInBytes)
            ? Claims
            : throw new ArgumentException("The value of a claim is a SHA-256.", nameof(Claims));

    public Reference[] References { get; } =
        References.Count(reference => reference.Takes) <= MaxReferences
            ? References
            : throw new ArgumentException($"A resource may have {MaxReferences} references.", nameof(References));
}

/// <summary>A stream whose newest event must be a certain one; it is read, not written.</summary>
/// <param name="Position">
/// The position of that event; 0 when there must be none. A version would not do: after a loss of events, another event
/// has the version of one that was lost. No position is given twice.
/// </param>
public readonly record struct Fence(Guid Stream, long Position);

/// <summary>A unique value that an append takes, or gives back.</summary>
/// <param name="Scope">Where the value is unique: the stream of the type.</param>
/// <param name="Rule">The number of the rule in its scope. Numbers are never used again.</param>
/// <param name="Value">The SHA-256 of the value in its canonical form.</param>
/// <param name="Takes">Whether the value is taken; else it is given back.</param>
/// <param name="Pointers">JSON Pointers of the members that make up the value, for the refusal.</param>
/// <param name="Change">The change of the type that alone asks for it; null where the definition in force does.</param>
public readonly record struct Claim(
    Guid Scope,
    int Rule,
    byte[] Value,
    bool Takes,
    string[] Pointers,
    Guid? Change = null
);

/// <summary>A reference to another resource that an append makes, or ends.</summary>
/// <param name="Field">The number of the referring field in its type. Numbers are never used again.</param>
/// <param name="Type">The type that the target must have.</param>
/// <param name="Takes">Whether the reference is made; else it is ended.</param>
/// <param name="Pointer">The JSON Pointer of the target's id, for the refusal.</param>
/// <param name="Change">The change of the type that alone asks for it; null where the definition in force does.</param>
public readonly record struct Reference(
    int Field,
    Guid Target,
    string Type,
    bool Takes,
    string Pointer,
    Guid? Change = null
);

/// <summary>The resources because of which another one is not deleted.</summary>
/// <param name="Count">How many there are.</param>
/// <param name="Resources">The ids of the first of them, in order.</param>
[GenerateSerializer, Immutable, Alias("referrers")]
public sealed record Referrers(long Count, Guid[] Resources)
{
    /// <summary>So many ids are given, for whoever knows which of them a caller may read.</summary>
    public const int Max = 1_000;

    /// <summary>So many of these are shown to a caller.</summary>
    public const int Shown = 20;
}
