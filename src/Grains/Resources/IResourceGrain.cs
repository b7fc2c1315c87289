namespace Resources.Grains;

/// <summary>One resource; the key is its id. Every write goes through here, whatever protocol it came by.</summary>
[Alias("resources.IResourceGrain")]
public interface IResourceGrain : IGrainWithGuidKey
{
    /// <summary>Runs a command and answers the resource after it, or why it was refused.</summary>
    /// <exception cref="StoreUnavailableException">The database is away; the outcome is unknown.</exception>
    [Alias("Execute")]
    Task<Reply<Resource>> Execute(ResourceCommand command, Intent intent);

    /// <summary>
    /// The resource now; a null value when it was never created. Deleted resources are answered with their deletion
    /// time.
    /// </summary>
    [Alias("Get")]
    Task<Reply<Resource>> Get();

    /// <summary>The resource as it was at a version, a time or a position (inclusive).</summary>
    [Alias("GetPast")]
    Task<Reply<Resource>> GetPast(Moment moment);
}

/// <summary>A point in a resource's past: exactly one member is set.</summary>
[GenerateSerializer, Immutable, Alias("moment")]
public sealed record Moment(long? Version = null, DateTimeOffset? Time = null, long? Position = null);

/// <summary>What can be asked of a resource.</summary>
[GenerateSerializer, Immutable, Alias("resource-command")]
public abstract record ResourceCommand;

[GenerateSerializer, Immutable, Alias("resource-create")]
public sealed record CreateResource(string Type, string Name, string Status, JsonText Metadata) : ResourceCommand;

/// <summary>All members anew; a type, if given, must be the one it has.</summary>
[GenerateSerializer, Immutable, Alias("resource-replace")]
public sealed record ReplaceResource(string? Type, string Name, string Status, JsonText Metadata) : ResourceCommand;

/// <summary>A patch document, applied to the resource as it is when the command runs.</summary>
[GenerateSerializer, Immutable, Alias("resource-patch")]
public sealed record PatchResource(PatchFormat Format, byte[] Document) : ResourceCommand;

[GenerateSerializer, Immutable, Alias("resource-delete")]
public sealed record DeleteResource : ResourceCommand;

[GenerateSerializer, Immutable, Alias("resource-restore")]
public sealed record RestoreResource : ResourceCommand;

/// <summary>RFC 7396 or RFC 6902.</summary>
public enum PatchFormat
{
    Merge,
    Json,
}
