using System.Diagnostics;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>How a caller sent a command: with which key and conditions, and from where.</summary>
/// <param name="Key">The Idempotency-Key; null when there was none.</param>
/// <param name="Fingerprint">A hash of what was asked, by which a reused key is recognised; null without a key.</param>
/// <param name="Address">The caller's network address.</param>
public sealed record Attempt(string? Key, string? Fingerprint, Conditions Conditions, string? Address)
{
    /// <summary>The intent of a command by a caller. With a key it is the same for every retry.</summary>
    public Intent By(Caller caller) =>
        new(
            Key is null ? Guid.CreateVersion7() : CommandOf(caller, Key),
            caller.Id,
            Activity.Current?.TraceId.ToHexString(),
            Fingerprint,
            Conditions,
            Session: caller.Credential,
            Address: Address
        );

    /// <summary>The id of the command that a caller sends with a key.</summary>
    public static Guid CommandOf(Caller caller, string key) => DerivedId.Of("command", caller.Id, key);

    /// <summary>The id of a resource that a caller creates. With a key it is the same for every retry.</summary>
    public Guid NewId(Caller caller) => Key is null ? Guid.CreateVersion7() : DerivedId.Of("resource", caller.Id, Key);
}
