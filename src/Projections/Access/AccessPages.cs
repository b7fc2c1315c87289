using System.Collections.Concurrent;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>What has become of an account since a token of it was issued.</summary>
/// <param name="Version">The version of the account that this is.</param>
/// <param name="Roles">Its roles now; null = as they were.</param>
/// <param name="Active">Whether it may have sessions; null = as it was.</param>
/// <param name="SessionsEnded">
/// Sessions of tokens that were issued before this version are over, but for the kept one.
/// </param>
sealed record AccountMark(
    long Version,
    string[]? Roles,
    bool? Active,
    long SessionsEnded,
    Guid? KeptSession,
    DateTimeOffset At
);

/// <summary>What the <see cref="AccessBook"/> has read in one epoch of the log.</summary>
sealed class AccessPages
{
    readonly ConcurrentDictionary<Guid, AccountMark> marks = new();
    readonly ConcurrentDictionary<Guid, DateTimeOffset> ended = new();

    /// <summary>What roles allow, by their grants.</summary>
    readonly ConcurrentDictionary<string, PermissionSet> roles = new(Permissions.BuiltIn);

    /// <summary>The grants of custom roles, by name.</summary>
    readonly ConcurrentDictionary<string, string> grants = new();

    /// <summary>Subjects of events whose kind this node does not know.</summary>
    readonly ConcurrentDictionary<Guid, (string Kind, DateTimeOffset At)> unknown = new();

    /// <summary>A kind that is not known; null where all are.</summary>
    public string? Unknown => unknown.IsEmpty ? null : unknown.Values.Select(one => one.Kind).FirstOrDefault();

    public bool IsUnknown(Guid subject) => !unknown.IsEmpty && unknown.ContainsKey(subject);

    public PermissionSet PermissionsOf(IEnumerable<string> held) =>
        PermissionSet.Union(held.Select(grant => roles.GetValueOrDefault(grant)).OfType<PermissionSet>());

    public string[] NamesOf(IEnumerable<string> held) => [.. held.Where(roles.ContainsKey).Select(RoleGrant.NameOf)];

    public string[] GrantsOf(IEnumerable<string> names) =>
        [.. names.Select(name => grants.GetValueOrDefault(name, name))];

    public bool IsOver(Guid credential, bool isSession, Guid account, long accountVersion) =>
        ended.ContainsKey(credential)
        || marks.TryGetValue(account, out var mark)
            && mark.Version > accountVersion
            && (
                mark.Active is false
                || isSession && accountVersion < mark.SessionsEnded && credential != mark.KeptSession
            );

    public (string[] Roles, long Version)? RolesSince(Guid account, long accountVersion) =>
        marks.TryGetValue(account, out var mark) && mark.Version > accountVersion && mark.Roles is { } changed
            ? (changed, mark.Version)
            : null;

    /// <summary>Notes an event; whether it changes anything.</summary>
    public bool Apply(AccessEvent happened)
    {
        switch (happened.Data)
        {
            // Custom roles of an earlier release, which had no such built-in role.
            case RoleCreated { Name: var name } when Permissions.BuiltIn.ContainsKey(name):
            case RoleChanged { Name: var changed } when Permissions.BuiltIn.ContainsKey(changed):
            case RoleDeleted { Name: var deleted } when Permissions.BuiltIn.ContainsKey(deleted):
                return false;
            case RoleCreated e:
                grants[e.Name] = RoleGrant.Of(e.Name, e.Generation);
                roles[grants[e.Name]] = PermissionSet.Of(e.Permissions);
                return true;
            // A start reads the latest events twice: of a role that is gone by then, too.
            case RoleChanged e:
                if (grants.TryGetValue(e.Name, out var known))
                    roles[known] = PermissionSet.Of(e.Permissions);
                return true;
            case RoleDeleted e:
                if (grants.TryRemove(e.Name, out var gone))
                    roles.TryRemove(gone, out _);
                return true;
            case SessionEnded or ApiKeyRevoked:
                ended[happened.Stream] = happened.At;
                return true;
            case AccountEvent e:
                Mark(happened, e);
                return true;
            case SessionAuthenticated:
                return true;
            case null:
                unknown[happened.Stream] = (happened.Kind, happened.At);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Forgets what no token is older than. What is not understood stays: it may have opened nothing.</summary>
    public void Forget(DateTimeOffset before)
    {
        foreach (var pair in marks)
            if (pair.Value.At < before)
                marks.TryRemove(pair);
        foreach (var pair in ended)
            if (pair.Value < before)
                ended.TryRemove(pair);
    }

    void Mark(AccessEvent happened, AccountEvent data)
    {
        var before = marks.GetValueOrDefault(happened.Stream) ?? new(0, null, null, 0, null, happened.At);
        if (happened.Version <= before.Version)
            return;
        var mark = before with { Version = happened.Version, At = happened.At };
        AccountMark Ended(Guid? kept) => mark with { SessionsEnded = happened.Version, KeptSession = kept };
        marks[happened.Stream] = data switch
        {
            AccountPasswordChanged { Means: not "rehash" } e => Ended(e.KeptSession),
            AccountSessionsEnded e => Ended(e.KeptSession),
            AccountDisabled or AccountDeleted => Ended(null) with { Active = false },
            AccountEnabled => mark with { Active = true },
            AccountRolesChanged e => mark with { Roles = e.Roles },
            _ => mark,
        };
    }
}
