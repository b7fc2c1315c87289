using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>Callers grant, take and manage only rights that they have.</summary>
public sealed class RoleRights(IClusterClient cluster)
{
    /// <summary>Why a caller cannot give an account the roles of these names; null when they can.</summary>
    public Task<Answer?> CheckGrantAsync(Caller caller, string[] names) =>
        CheckAsync(caller, _ => names, "One of the roles has permissions that you do not have.");

    /// <summary>Why a caller cannot change an account that holds these grants of roles; null when they can.</summary>
    public Task<Answer?> CheckManagingAsync(Caller caller, string[] grants) =>
        CheckAsync(caller, book => book.NamesOf(grants), "The account has permissions that you do not have.");

    /// <summary>Why a caller cannot manage what belongs to an account; null when they can, as with their own.</summary>
    public async Task<Answer?> CheckManagingAsync(Caller caller, Guid account) =>
        account == caller.Account
            ? null
            : await CheckManagingAsync(
                caller,
                (await ClusterCalls.ReadAsync(() => cluster.GetGrain<IAccountGrain>(account).Get())).Value?.Roles ?? []
            );

    /// <summary>Why a caller cannot grant or take these permissions; null when they can.</summary>
    public static Answer? Check(Caller caller, PermissionSet permissions, string detail) =>
        caller.Permissions.Covers(permissions) ? null : Answer.Refused(ProblemType.AboveOwnRights, detail);

    /// <summary>The roles as they are now.</summary>
    public async Task<RoleBook> BookAsync() =>
        (await ClusterCalls.ReadAsync(() => cluster.GetGrain<IRoleGrain>(RoleBook.Id).Get())).Value ?? RoleBook.Empty;

    async Task<Answer?> CheckAsync(Caller caller, Func<RoleBook, IEnumerable<string>> names, string detail)
    {
        var book = await BookAsync();
        var known = book.All();
        return Check(
            caller,
            PermissionSet.Union(names(book).Select(name => known.GetValueOrDefault(name)).OfType<PermissionSet>()),
            detail
        );
    }
}
