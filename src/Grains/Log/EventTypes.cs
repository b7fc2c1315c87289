using System.Collections.Frozen;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// The names under which events are stored and published, and how they become JSON. A name is a contract: it never
/// changes.
/// </summary>
public static class EventTypes
{
    /// <summary>Public name by CLR type, for every event of the system.</summary>
    public static readonly FrozenDictionary<Type, string> Names = new Dictionary<Type, string>
    {
        [typeof(ResourceCreated)] = "resource.created",
        [typeof(ResourceReplaced)] = "resource.replaced",
        [typeof(ResourceRenamed)] = "resource.renamed",
        [typeof(ResourceMetadataChanged)] = "resource.metadata_changed",
        [typeof(ResourceStatusChanged)] = "resource.status_changed",
        [typeof(ResourceDeleted)] = "resource.deleted",
        [typeof(ResourceRestored)] = "resource.restored",
        [typeof(AccountRegistered)] = "account.registered",
        [typeof(AccountEmailVerified)] = "account.email_verified",
        [typeof(AccountPasswordChanged)] = "account.password_changed",
        [typeof(AccountSessionsEnded)] = "account.sessions_ended",
        [typeof(AccountRolesChanged)] = "account.roles_changed",
        [typeof(AccountDisabled)] = "account.disabled",
        [typeof(AccountEnabled)] = "account.enabled",
        [typeof(AccountDeleted)] = "account.deleted",
        [typeof(AccountTotpEnrolled)] = "account.totp_enrolled",
        [typeof(AccountTotpConfirmed)] = "account.totp_confirmed",
        [typeof(AccountTotpAccepted)] = "account.totp_accepted",
        [typeof(AccountTotpRemoved)] = "account.totp_removed",
        [typeof(AccountRecoveryCodesIssued)] = "account.recovery_codes_issued",
        [typeof(AccountRecoveryCodeUsed)] = "account.recovery_code_used",
        [typeof(AccountPasskeyAdded)] = "account.passkey_added",
        [typeof(AccountPasskeyUsed)] = "account.passkey_used",
        [typeof(AccountPasskeyRemoved)] = "account.passkey_removed",
        [typeof(AccountLoginFailed)] = "account.login_failed",
        [typeof(SessionStarted)] = "session.started",
        [typeof(SessionRefreshed)] = "session.refreshed",
        [typeof(SessionAuthenticated)] = "session.authenticated",
        [typeof(SessionUsed)] = "session.used",
        [typeof(SessionEnded)] = "session.ended",
        [typeof(RoleCreated)] = "role.created",
        [typeof(RoleChanged)] = "role.changed",
        [typeof(RoleDeleted)] = "role.deleted",
        [typeof(AdministratorAdded)] = "role.administrator_added",
        [typeof(AdministratorRemoved)] = "role.administrator_removed",
        [typeof(ApiKeyCreated)] = "api_key.created",
        [typeof(ApiKeyRevoked)] = "api_key.revoked",
        [typeof(SubscriptionCreated)] = "subscription.created",
        [typeof(SubscriptionPaused)] = "subscription.paused",
        [typeof(SubscriptionResumed)] = "subscription.resumed",
        [typeof(SubscriptionDisabled)] = "subscription.disabled",
        [typeof(SubscriptionSecretRotated)] = "subscription.secret_rotated",
        [typeof(SubscriptionReplayed)] = "subscription.replayed",
        [typeof(SubscriptionDeleted)] = "subscription.deleted",
    }.ToFrozenDictionary();

    /// <summary>The names of what happens to resources: all that readers of events ever see, in order.</summary>
    public static readonly IReadOnlyList<string> OfResources =
    [
        .. Names
            .Where(pair => pair.Key.IsSubclassOf(typeof(ResourceEvent)))
            .Select(pair => pair.Value)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>One JSON form for writing, reading and Marten: camelCase, text as sent.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // Metadata may be 63 levels deep; an event nests it once more.
        MaxDepth = 128,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>An event as it was stored.</summary>
    /// <exception cref="InvalidDataException">The name is none of ours, or the event is not of its form.</exception>
    public static object Read(string name, string json) =>
        Types.TryGetValue(name, out var type) && JsonSerializer.Deserialize(json, type, Json) is { } read
            ? read
            : throw new InvalidDataException($"There is no event {name}.");

    static readonly FrozenDictionary<string, Type> Types = Names.ToFrozenDictionary(
        pair => pair.Value,
        pair => pair.Key
    );

    /// <summary>What Marten stores beside the name to find the CLR type.</summary>
    internal static string ClrName(Type type) => ClrNames[type];

    static readonly FrozenDictionary<Type, string> ClrNames = Names.Keys.ToFrozenDictionary(
        type => type,
        type => $"{type.FullName}, {type.Assembly.GetName().Name}"
    );
}
