using System.Security.Claims;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>How a caller is known.</summary>
public enum CredentialKind
{
    Token,
    Cookie,
    ApiKey,
    External,
}

/// <summary>Who sends a request, as a credential says and the node's <see cref="AccessBook"/> allows.</summary>
public sealed class Caller
{
    readonly AccessBook book;
    readonly PermissionSet? bound;

    /// <summary>Requests share a caller: what belongs together is replaced at once.</summary>
    volatile Granted granted;

    /// <param name="account">The account.</param>
    /// <param name="accountVersion">The version of the account that the credential knows.</param>
    /// <param name="roles">Its grants of roles then; of another issuer's account, the names of its roles.</param>
    /// <param name="bound">What the credential allows at most; null = all that the account may.</param>
    /// <param name="book">What has become of all this since.</param>
    public Caller(Guid account, long accountVersion, string[] roles, PermissionSet? bound, AccessBook book)
    {
        Account = account;
        AccountVersion = accountVersion;
        granted = new(roles, [], accountVersion, 0, PermissionSet.Empty);
        this.bound = bound;
        this.book = book;
        Id = account.ToString();
        Principal = new(new CallerIdentity(this));
    }

    public Guid Account { get; }

    /// <summary>The account's id as it stands in events.</summary>
    public string Id { get; }

    public long AccountVersion { get; }

    public required CredentialKind Kind { get; init; }

    /// <summary>The session, or API key, that the caller uses; null for tokens of other issuers.</summary>
    public Guid? Credential { get; init; }

    /// <summary>When the credential stops to be good by itself.</summary>
    public required DateTimeOffset Expires { get; init; }

    /// <summary>When the owner last proved who they are; null where nobody does so, as with API keys.</summary>
    public DateTimeOffset? AuthenticatedAt { get; init; }

    /// <summary>The caller as the framework knows it.</summary>
    public ClaimsPrincipal Principal { get; }

    /// <summary>
    /// Whether the session or key was ended, or the account disabled, since the credential was issued.
    /// </summary>
    public bool IsOver =>
        Credential is { } credential
        && book.IsOver(credential, Kind is not CredentialKind.ApiKey, Account, AccountVersion);

    /// <summary>
    /// Whether this node cannot tell what the caller may do: it has not seen the log lately, or does not understand what
    /// has happened.
    /// </summary>
    public bool IsUncertain =>
        !book.IsCurrent || book.IsUnknown(Account) || Credential is { } credential && book.IsUnknown(credential);

    /// <summary>The names of the roles of the account now.</summary>
    public string[] Roles => book.NamesOf(Grants);

    /// <summary>What the account holds of roles now, as <see cref="RoleGrant"/> says.</summary>
    public string[] Grants => Now.Grants;

    /// <summary>What the caller may do now.</summary>
    public PermissionSet Permissions => Now.Permissions;

    Granted Now
    {
        get
        {
            var known = granted;
            var version = book.RolesVersion;
            var changed = book.RolesSince(Account, known.RolesOf);
            if (changed is null && known.RolesVersion == version)
                return known;
            // Kept, as the book forgets what is older than any token: an open stream may be.
            var (roles, rolesOf) = changed ?? (known.Roles, known.RolesOf);
            // Who is known elsewhere has whatever role has the name that the configuration gives.
            var grants = Kind is CredentialKind.External ? book.GrantsOf(roles) : roles;
            var permissions = book.PermissionsOf(grants);
            return granted = new(
                roles,
                grants,
                rolesOf,
                version,
                bound is null ? permissions : permissions.Intersect(bound)
            );
        }
    }

    /// <summary>What the caller may do by some roles, as they were defined at a version of the book.</summary>
    /// <param name="RolesOf">The version of the account whose roles these are.</param>
    sealed record Granted(string[] Roles, string[] Grants, long RolesOf, long RolesVersion, PermissionSet Permissions);

    sealed class CallerIdentity(Caller caller) : ClaimsIdentity("Resources")
    {
        public Caller Caller { get; } = caller;
    }

    /// <summary>The caller behind a principal of ours; null for a guest.</summary>
    public static Caller? Of(ClaimsPrincipal principal) => (principal.Identity as CallerIdentity)?.Caller;
}
