using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>An API key.</summary>
/// <param name="Prefix">How its text begins.</param>
/// <param name="UsedAt">When it was last used, to a few minutes; null when never.</param>
/// <param name="Key">Its text; only in the answer that created it.</param>
public sealed record ApiKeyDocument(
    Guid Id,
    string Name,
    string Prefix,
    string[] Permissions,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? UsedAt,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Key = null
);

/// <summary>What creating an API key takes.</summary>
/// <param name="Permissions">A subset of the caller's. Permissions that the account loses later, its keys lose too.</param>
/// <param name="ExpiresAt">Null = it does not expire.</param>
public sealed record ApiKeyRequest(
    string Name,
    string[] Permissions,
    [property: TakesNull] DateTimeOffset? ExpiresAt = null
);

/// <summary>The caller's API keys, for programs, which have no sessions.</summary>
public static class ApiKeyEndpoints
{
    const int MaxPage = 200;

    public static void MapApiKeys(this RouteGroupBuilder api)
    {
        var keys = api.MapGroup("/api-keys").WithTags("api-keys").CarriesSecrets().RequireSession();
        keys.MapRead("", ListAsync)
            .WithName("listApiKeys")
            .WithSummary("List your API keys")
            .WithDescription("Newest first.")
            .TakesQuery(PageParameters.Cursor, PageParameters.Limit)
            .Answers<Envelope<IReadOnlyList<ApiKeyDocument>>>(200);
        keys.MapPost("", CreateAsync)
            .RequireSession(recent: true)
            .LimitCreation(CreationLimit.ApiKeys)
            .WithName("createApiKey")
            .Audits("api_key.created")
            .WithSummary("Create an API key")
            .WithDescription("The key is returned only once, in this response.")
            .TakesBody<ApiKeyRequest>(
                """{"name":"nightly import","permissions":["resource:create"],"expiresAt":"2027-01-31T12:00:00Z"}"""
            )
            .Answers<Envelope<ApiKeyDocument>>(201)
            .Refuses(403, 409, 413, 415);
        keys.MapDelete("/{id}", RevokeAsync)
            .TakesPath(Parameter.Id("id", "The id of the API key."))
            .WithName("revokeApiKey")
            .Audits("api_key.revoked")
            .WithSummary("Revoke an API key")
            .WithDescription("Every node rejects the key within a second.")
            .Produces(204)
            .Refuses(404);
    }

    static async Task<Answer> ListAsync(HttpContext context, AccountQueries queries)
    {
        var query = new QueryReader(context.Request);
        var limit = query.Limit(100, MaxPage);
        var before = query.Number("cursor", 1) ?? long.MaxValue;
        if (query.Faults is not [])
            return Answer.Invalid(query.Faults);
        var found = await queries.KeysAsync(context.Caller().Account, before, limit + 1, context.RequestAborted);
        return new Answer<IReadOnlyList<ApiKeyDocument>>([
            .. found.Take(limit).Select(row => Document(row.Id, row.Key, row.UsedAt)),
        ])
        {
            Page = new(limit, found.Count > limit ? Responses.Text(found[limit - 1].Position) : null),
        };
    }

    static Task<Answer> CreateAsync(
        HttpContext context,
        IClusterClient cluster,
        ApiKeyText texts,
        PermissionCatalogue catalogue,
        TypeActions actions,
        TimeProvider time
    ) =>
        RequestBody.TakeAsync(
            context,
            (body, faults) => Read(body, catalogue, time, faults),
            async asked =>
            {
                var caller = context.Caller();
                var permissions = PermissionSet.Of(asked.Permissions);
                if (
                    RoleRights.Check(caller, permissions, "The key would have permissions that you do not have.") is
                    { } refused
                )
                    return refused;
                // Afterwards: what types declare is nobody's business who has no rights to them.
                if (await actions.FaultsOfAsync(asked.Permissions) is not [] and var faults)
                    return Answer.Invalid(faults);
                var intent = context.Intend();
                var id = intent.CommandId;
                var (text, hash) = texts.Create(id);
                var create = new CreateApiKey(caller.Account, asked.Name, hash, permissions.ToTexts(), asked.ExpiresAt);
                var reply = await ClusterCalls.SendAsync(intent, sent =>
                    cluster.GetGrain<IApiKeyRingGrain>(caller.Account).Create(create, sent)
                );
                return reply.Rejection is { } rejection
                    ? rejection
                    : new Answer<ApiKeyDocument>(Document(id, reply.Value!, null) with { Key = text })
                    {
                        Status = StatusCodes.Status201Created,
                    };
            }
        );

    static async Task<Answer> RevokeAsync(HttpContext context, string id, IClusterClient cluster)
    {
        var found = Ids.TryParse(id, out var key)
            ? (await ClusterCalls.ReadAsync(() => cluster.GetGrain<IApiKeyGrain>(key).Get())).Value
            : null;
        if (found is null || found.Account != context.Caller().Account)
            return Answer.Refused(ProblemType.ApiKeyNotFound, "There is no such API key.");
        var intent = context.Intend();
        await ClusterCalls.SendAsync(intent, sent =>
            cluster.GetGrain<IApiKeyGrain>(key).Execute(new RevokeApiKey(), sent)
        );
        return Answer.Empty();
    }

    static ApiKeyDocument Document(Guid id, ApiKey key, DateTimeOffset? usedAt) =>
        new(id, key.Name, $"{ApiKeyText.Prefix}{id:N}", key.Permissions, key.CreatedAt, key.ExpiresAt, usedAt);

    static ApiKeyRequest Read(JsonElement body, PermissionCatalogue catalogue, TimeProvider time, List<Fault> faults)
    {
        var reader = new ObjectReader(body, faults);
        var name = reader.Text("name", 1, 100);
        var permissions = RoleEndpoints.ReadPermissions(reader, catalogue, faults);
        var expires = reader.IsNull("expiresAt") ? null : reader.Time("expiresAt", optional: true);
        reader.RefuseOthers();
        if (expires <= time.GetUtcNow())
            faults.Report("/expiresAt", "IN_THE_PAST", "The value must lie in the future.");
        return new(name!, permissions, expires);
    }
}
