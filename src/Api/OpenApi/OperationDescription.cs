using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;

namespace Resources.Api;

/// <summary>Describes an operation from what its endpoint says of itself.</summary>
static class OperationDescription
{
    const string JsonPatch = "application/json-patch+json";

    static readonly Dictionary<Type, string> Examples = new()
    {
        [typeof(ResourceCreation)] =
            """{"name":"Blue bicycle","type":"bicycle","status":"active","metadata":{"color":"blue","gears":7}}""",
        [typeof(ResourceReplacement)] =
            """{"name":"Red bicycle","status":"active","metadata":{"color":"red","gears":7}}""",
        [typeof(ResourceChange)] = """{"name":"Green bicycle","metadata":{"color":"green","gears":null}}""",
        [typeof(ResourcePatchOperation[])] =
            """[{"op":"test","path":"/status","value":"active"},{"op":"replace","path":"/metadata/color","value":"green"}]""",
        [typeof(LoginRequest)] = """{"email":"admin@example.org","password":"the password that was printed"}""",
        [typeof(RefreshRequest)] =
            """{"refreshToken":"rrt_uhGiAVH6f4W1ZNPQe71yIgAAAAGMw10GAbzoy1-3tp8ZC000WKCpdZdzf69xBMmK2sLMDg"}""",
        [typeof(PasswordRequest)] =
            """{"currentPassword":"at least fifteen characters","newPassword":"another of enough length"}""",
        [typeof(UserChange)] = """{"disabled":true}""",
        [typeof(RoleRequest)] =
            """{"name":"mechanic","permissions":["resource/bicycle:read","resource/bicycle:update","resource:create"]}""",
        [typeof(RoleChangeRequest)] = """{"permissions":["resource/bicycle:read","resource/bicycle:update:own"]}""",
        [typeof(ApiKeyRequest)] =
            """{"name":"nightly import","permissions":["resource:create"],"expiresAt":"2027-01-31T12:00:00Z"}""",
        [typeof(ExplainRequest)] =
            """{"permission":"resource:update","resourceId":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10"}""",
        [typeof(MfaRequest)] =
            """{"mfaToken":"5bX0c1mYyKQn7mR0q9mXn3yq7rQ2v8Jw1uZk4dTfGhI","method":"totp","code":"123456"}""",
        [typeof(StepUpRequest)] = """{"method":"totp","code":"123456"}""",
        [typeof(CodeRequest)] = """{"code":"123456"}""",
        [typeof(PasskeyRequest)] =
            """{"state":"5bX0c1mYyKQn7mR0q9mXn3yq7rQ2v8Jw1uZk4dTfGhI","name":"my phone","credential":{"id":"…","type":"public-key","rawId":"…","response":{}}}""",
        [typeof(PasskeyLogin)] =
            """{"state":"5bX0c1mYyKQn7mR0q9mXn3yq7rQ2v8Jw1uZk4dTfGhI","credential":{"id":"…","type":"public-key","rawId":"…","response":{}}}""",
        [typeof(RegisterRequest)] = """{"email":"user@example.org","password":"a few words that say nothing"}""",
        [typeof(EmailRequest)] = """{"email":"user@example.org"}""",
        [typeof(VerifyRequest)] = """{"token":"ArkRogF3…","password":"a few words that say nothing"}""",
        [typeof(SetPasswordRequest)] = """{"token":"ArkRogF3…","newPassword":"a few words that say nothing"}""",
        [typeof(SkipRequest)] = """{"position":"1042","reason":"written by a build that was withdrawn"}""",
        [typeof(RolesRequest)] = """{"roles":["user"]}""",
        [typeof(SubscriptionRequest)] =
            """{"name":"warehouse","filter":{"type":"bicycle","events":["resource.created"]},"delivery":{"kind":"webhook","url":"https://example.org/hooks"}}""",
        [typeof(ReplayRequest)] = """{"position":"1042"}""",
        [typeof(PullBody)] = """{"consumer":"worker-1","limit":100,"wait":20,"leaseSeconds":30}""",
        [typeof(AckBody)] = """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","positions":["1042"]}""",
        [typeof(NackBody)] = """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","delaySeconds":5}""",
        [typeof(ParkBody)] =
            """{"lease":"019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10","positions":["1042"],"reason":"The price is missing."}""",
        [typeof(UserRequest)] =
            """{"email":"user@example.org","password":"at least fifteen characters","roles":["user"]}""",
    };

    public static async Task DescribeAsync(
        OpenApiOperation operation,
        OpenApiOperationTransformerContext context,
        CancellationToken ct
    )
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        T? Find<T>()
            where T : class => metadata.OfType<T>().LastOrDefault();
        var document = context.Document!;
        var isOpen = Find<IAllowAnonymous>() is not null;
        var permission = Find<RequiredPermission>()?.Permission;
        var carried = Find<CarriedHeaders>()?.Names ?? [];

        operation.Description = (isOpen, permission) switch
        {
            (true, null) => "Open to everyone.",
            (true, _) =>
                $"Needs the permission `{permission}`, by a token in the header or in the first message: `{{\"type\":\"authenticate\",\"token\":\"…\"}}`.",
            (_, null) => "Open to every caller with a token.",
            _ => $"Needs the permission `{permission}`.",
        };
        operation.Security = isOpen
            ? []
            : [new() { [new OpenApiSecuritySchemeReference(ApiDescription.Bearer, document)] = [] }];
        if (isOpen && permission is not null)
            operation.Security =
            [
                new() { [new OpenApiSecuritySchemeReference(ApiDescription.Bearer, document)] = [] },
                [],
            ];
        operation.Parameters = [.. Parameters(context, Find<QueryParameters>()?.Names ?? [], carried)];
        if (Find<TakenBody>() is { } body)
            operation.RequestBody = await BodyAsync(body, context, ct);

        operation.Responses ??= [];
        if (
            metadata.OfType<OtherAnswer>().ToArray() is { Length: > 0 } others
            && operation.Responses["200"].Content!["application/json"] is OpenApiMediaType first
        )
        {
            var forms = new List<IOpenApiSchema> { first.Schema! };
            foreach (var other in others)
            {
                // The framework writes out what is asked for here, where it names what it finds itself.
                var envelope = await context.GetOrCreateSchemaAsync(other.Type, cancellationToken: ct);
                envelope.Properties!["data"] = Named(
                    other.Type.GenericTypeArguments[0],
                    envelope.Properties["data"],
                    document
                );
                envelope.Properties["meta"] = new OpenApiSchemaReference(nameof(Meta), document);
                forms.Add(Named(other.Type, envelope, document));
            }
            first.Schema = new OpenApiSchema { OneOf = forms };
        }
        var limited = Find<Unlimited>() is null;
        foreach (var (status, response) in operation.Responses)
            if (response is OpenApiResponse success && status[0] is '1' or '2' or '3' or '5')
                success.Headers = Headers(
                    document,
                    [
                        .. carried.Where(header =>
                            !HeaderDescription.IsAsked(header) && (header is "ETag" || status is not "304")
                        ),
                        .. carried.Contains("Idempotency-Key") ? ["Idempotency-Replayed"] : Array.Empty<string>(),
                        .. limited ? ["RateLimit-Policy", "RateLimit"] : Array.Empty<string>(),
                        "X-Request-Id",
                        .. status is "503" ? ["Retry-After"] : Array.Empty<string>(),
                    ]
                );
        if (Find<StreamsEvents>() is { } streams && operation.Responses["200"].Content is { } contents)
            contents[StreamsEvents.MediaType] = new()
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Description = streams.Parameter is null
                        ? "With `Accept: text/event-stream`: each event with its position as `id`, its type as `event` and the CloudEvent as `data`."
                        : $"With `{streams.Parameter}=true`: `snapshot` for each resource, then `added`, `changed` and `removed`.",
                },
            };
        if (Find<RequiredSession>() is { } session)
            operation.Description +=
                (
                    session.Recent
                        ? " Needs a session that was authenticated in the last minutes; "
                        : " Needs a session; "
                ) + (session.OrKey ? "or an API key." : "no API key will do.");
        if (!limited)
            return;
        var refusals = (Find<AlwaysRefuses>()?.Statuses ?? [])
            .Where(status => status is not 403 || !isOpen || permission is not null)
            .Concat(
                operation
                    .Responses.Keys.Select(key => int.Parse(key, CultureInfo.InvariantCulture))
                    .Where(status => status >= 400)
            )
            .Distinct()
            .ToArray();
        foreach (var status in refusals.Order())
        {
            // Taken out first, so that the refusals stand in order.
            operation.Responses.Remove(status.ToString(CultureInfo.InvariantCulture));
            operation.Responses.Add(
                status.ToString(CultureInfo.InvariantCulture),
                new OpenApiResponseReference(NameOf(status), document)
            );
        }
    }

    /// <summary>The name of a refusal among the document's components.</summary>
    public static string NameOf(int status) =>
        ReasonPhrases
            .GetReasonPhrase(status)
            .Replace(" ", "", StringComparison.Ordinal)
            .Replace("-", "", StringComparison.Ordinal);

    /// <summary>What a refusal with this status looks like; its description lists the codes.</summary>
    public static IOpenApiResponse Refusal(int status, OpenApiDocument document)
    {
        string[] own = status switch
        {
            401 => ["WWW-Authenticate"],
            412 => ["ETag"],
            415 => ["Accept-Post", "Accept-Patch"],
            429 or 503 => ["Retry-After"],
            _ => [],
        };
        var types = ProblemType.All.Where(type => type.Status == status).ToArray();
        return new OpenApiResponse
        {
            Description = string.Join(" ", types.Select(type => $"`{type.Code}`: {type.Title}.")),
            Headers = Headers(document, [.. own, "RateLimit-Policy", "RateLimit", "X-Request-Id"]),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/problem+json"] = new OpenApiMediaType
                {
                    Schema = new OpenApiSchemaReference(nameof(Problem), document),
                    Example = Example(types[0]),
                },
            },
        };
    }

    static JsonObject Example(ProblemType type) =>
        new()
        {
            ["type"] = type.Uri,
            ["title"] = type.Title,
            ["status"] = type.Status,
            ["detail"] = type.Title + ".",
            ["instance"] = ApiGroup.Path + "/resources",
            ["success"] = false,
            ["error"] = type.Title + ".",
            ["code"] = type.Code,
            ["traceId"] = "4bf92f3577b34da6a3ce929d0e0e4736",
        };

    static IEnumerable<IOpenApiParameter> Parameters(
        OpenApiOperationTransformerContext context,
        string[] query,
        string[] carried
    )
    {
        if (context.Description.RelativePath!.Contains("{id}", StringComparison.Ordinal))
            yield return new OpenApiParameter
            {
                Name = "id",
                In = ParameterLocation.Path,
                Required = true,
                Description = $"The {Named(context.Description.RelativePath)}'s id.",
                Example = JsonValue.Create("019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10"),
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    Format = "uuid",
                    MinLength = 36,
                    MaxLength = 36,
                },
            };
        if (context.Description.RelativePath!.Contains("{name}", StringComparison.Ordinal))
            yield return new OpenApiParameter
            {
                Name = "name",
                In = ParameterLocation.Path,
                Required = true,
                Description = "The follower's name.",
                Example = JsonValue.Create(Projections.ResourceViewProjection.FollowerName),
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    MinLength = 1,
                    MaxLength = 64,
                },
            };
        if (context.Description.RelativePath!.Contains("{kid}", StringComparison.Ordinal))
            yield return new OpenApiParameter
            {
                Name = "kid",
                In = ParameterLocation.Path,
                Required = true,
                Description = "The key's name.",
                Example = JsonValue.Create("01a211b9faa87e3b82b418342f59931d"),
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.String,
                    MinLength = 1,
                    MaxLength = 64,
                },
            };
        if (context.Description.RelativePath!.Contains("{role}", StringComparison.Ordinal))
            yield return new OpenApiParameter
            {
                Name = "role",
                In = ParameterLocation.Path,
                Required = true,
                Description = "The role's name.",
                Example = JsonValue.Create("mechanic"),
                Schema = HeaderDescription.Slug(),
            };
        foreach (var name in query)
            yield return HeaderDescription.Query(name);
        foreach (var name in carried.Where(HeaderDescription.IsAsked))
            yield return HeaderDescription.Header(
                name,
                required: name is "If-Match" && context.Description.HttpMethod is "PUT"
            );
    }

    /// <summary>What the id in a path is of.</summary>
    static string Named(string path) =>
        path.Split('/')
            .First(part =>
                part is "passkeys" or "resources" or "subscriptions" or "users" or "sessions" or "api-keys"
            ) switch
        {
            "users" => "account",
            "api-keys" => "key",
            var plural => plural[..^1],
        };

    static async Task<OpenApiRequestBody> BodyAsync(
        TakenBody body,
        OpenApiOperationTransformerContext context,
        CancellationToken ct
    )
    {
        var content = new Dictionary<string, OpenApiMediaType>();
        foreach (var mediaType in body.MediaTypes)
        {
            var type = mediaType is JsonPatch ? typeof(ResourcePatchOperation[]) : body.Type;
            var schema = await context.GetOrCreateSchemaAsync(type, cancellationToken: ct);
            // A list stands where it is used; everything else has a name.
            if (type.IsArray)
                schema.Items = Named(
                    type.GetElementType()!,
                    await context.GetOrCreateSchemaAsync(type.GetElementType()!, cancellationToken: ct),
                    context.Document!
                );
            content[mediaType] = new OpenApiMediaType
            {
                Schema = type.IsArray ? schema : Named(type, schema, context.Document!),
                Example = JsonNode.Parse(Examples[type]),
            };
        }
        return new() { Required = true, Content = content };
    }

    static OpenApiSchemaReference Named(Type type, IOpenApiSchema schema, OpenApiDocument document)
    {
        var name = type.IsGenericType ? $"{type.Name.Split('`')[0]}Of{type.GenericTypeArguments[0].Name}" : type.Name;
        document.AddComponent(name, schema);
        return new(name, document);
    }

    static Dictionary<string, IOpenApiHeader> Headers(OpenApiDocument document, string[] names) =>
        names.ToDictionary(name => name, IOpenApiHeader (name) => new OpenApiHeaderReference(name, document));
}
