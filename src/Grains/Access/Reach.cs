namespace Resources.Grains;

/// <summary>
/// The resources that a caller reaches: all, which has to be said, or those that a scope allows to an account.
/// </summary>
public sealed record Reach
{
    Reach(Scope scope, string account)
    {
        Scope = scope;
        Account = account;
    }

    /// <summary>Every resource.</summary>
    public static Reach All { get; } = new(Scope.All, "");

    /// <summary>No resource at all.</summary>
    public static Reach Nothing { get; } = new(Scope.Nothing, "");

    /// <summary>What a scope allows; the account's own resources are those it owns.</summary>
    public static Reach Of(Scope scope, string account) => scope.IsAll ? All : new(scope, account);

    public Scope Scope { get; }

    /// <summary>Whose own resources the scope speaks of; empty for <see cref="All"/>.</summary>
    public string Account { get; }

    public bool IsAll => Scope.IsAll;

    /// <summary>Whether it is what the account owns, all of it and nothing else.</summary>
    public bool IsOwn => Scope is { Own: true, Types: [] };

    /// <summary>Whether a resource is within reach.</summary>
    public bool Allows(string type, string owner) => Scope.Allows(type, owner, Account);

    /// <summary>What is within two reaches of one account.</summary>
    public Reach Intersect(Reach other) =>
        IsAll ? other
        : other.IsAll ? this
        : new(Scope.Intersect(other.Scope), Account);

    /// <summary>A name for it: two reaches of one name allow the same.</summary>
    public override string ToString() =>
        IsAll
            ? "*"
            : $"{Account}:{string.Join(' ', Scope.Types)}:{(Scope.Own ? "*" : string.Join(' ', Scope.OwnTypes))}";
}
