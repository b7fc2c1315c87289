namespace Resources.Grains;

/// <summary>
/// How far a permission reaches over resources: all; or those of some types; and the account's own, all or of some
/// types.
/// </summary>
/// <param name="IsAll">Everything.</param>
/// <param name="Types">All resources of these types, in order.</param>
/// <param name="Own">The account's own resources of all types.</param>
/// <param name="OwnTypes">The account's own resources of these types, in order.</param>
[GenerateSerializer, Immutable, Alias("scope")]
public sealed record Scope(bool IsAll, string[] Types, bool Own, string[] OwnTypes) : IEquatable<Scope>
{
    public static readonly Scope Nothing = new(false, [], false, []);
    public static readonly Scope All = new(true, [], false, []);

    public bool IsNothing => !IsAll && !Own && Types is [] && OwnTypes is [];

    /// <summary>The reach of permissions for one action together.</summary>
    public static Scope Of(IReadOnlyCollection<Permission> granting)
    {
        if (granting.Any(one => one is { Own: false, Type: null }))
            return All;
        if (granting.Count is 0)
            return Nothing;
        string[] types =
        [
            .. granting.Where(one => !one.Own).Select(one => one.Type!).Distinct().Order(StringComparer.Ordinal),
        ];
        var own = granting.Any(one => one is { Own: true, Type: null });
        return new(
            false,
            types,
            own,
            own
                ? []
                :
                [
                    .. granting
                        .Where(one => one is { Own: true, Type: not null })
                        .Select(one => one.Type!)
                        .Distinct()
                        .Except(types)
                        .Order(StringComparer.Ordinal),
                ]
        );
    }

    /// <summary>Whether a resource is within reach of an account.</summary>
    public bool Allows(string type, string owner, string account) =>
        IsAll || Types.Contains(type) || (Own || OwnTypes.Contains(type)) && owner == account;

    /// <summary>The resources that an account reaches by this.</summary>
    public Reach Of(string account) => Reach.Of(this, account);

    /// <summary>What is in both scopes.</summary>
    public Scope Intersect(Scope other)
    {
        if (IsAll)
            return other;
        if (other.IsAll)
            return this;
        string[] types = [.. Types.Intersect(other.Types).Order(StringComparer.Ordinal)];
        var own = Own && other.Own;
        var ownTypes = own
            ? []
            : Types
                .Concat(OwnTypes)
                .Concat(other.Types)
                .Concat(other.OwnTypes)
                .Distinct()
                .Where(type =>
                    !types.Contains(type)
                    && (Own || Types.Contains(type) || OwnTypes.Contains(type))
                    && (other.Own || other.Types.Contains(type) || other.OwnTypes.Contains(type))
                )
                .Order(StringComparer.Ordinal)
                .ToArray();
        return new(false, types, own, ownTypes);
    }

    public bool Equals(Scope? other) =>
        other is not null
        && IsAll == other.IsAll
        && Own == other.Own
        && Types.SequenceEqual(other.Types)
        && OwnTypes.SequenceEqual(other.OwnTypes);

    public override int GetHashCode() =>
        HashCode.Combine(IsAll, Own, string.Join(',', Types), string.Join(',', OwnTypes));
}
