using Orleans.Concurrency;

namespace Resources.Grains;

/// <summary>One type; the key is <see cref="TypeState.StreamOf"/> its name.</summary>
[Alias("resources.ITypeGrain")]
public interface ITypeGrain : IGrainWithGuidKey
{
    /// <summary>
    /// Runs a command; returns the type after it, or a rejection. A change that has to be checked is only proposed then: the
    /// id of the change is that of the command.
    /// </summary>
    [Alias("Execute")]
    Task<Reply<TypeState>> Execute(TypeCommand command, Intent intent);

    /// <summary>The current type; a null value when nobody ever declared it.</summary>
    [Alias("Get")]
    Task<Reply<TypeState>> Get();

    /// <summary>The type as it was at a version.</summary>
    [Alias("GetPast"), AlwaysInterleave]
    Task<Reply<TypeState>> GetPast(long version);

    /// <summary>What became of a change; null while it is being checked.</summary>
    [Alias("GetOutcome")]
    Task<TypeVerdict?> GetOutcome(Guid change);
}
