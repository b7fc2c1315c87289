namespace Resources.Grains;

/// <summary>The roles. There is one such grain; its key is <see cref="RoleBook.Id"/>.</summary>
[Alias("resources.IRoleGrain")]
public interface IRoleGrain : IGrainWithGuidKey
{
    [Alias("Execute")]
    Task<Reply<RoleBook>> Execute(RoleCommand command, Intent intent);

    /// <summary>The current roles; a null value before the first event.</summary>
    [Alias("Get")]
    Task<Reply<RoleBook>> Get();
}
