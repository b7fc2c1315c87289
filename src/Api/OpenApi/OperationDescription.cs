using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Resources.Api;

/// <summary>Describes an operation from the metadata of its endpoint.</summary>
sealed class OperationDescription
{
    readonly OpenApiOperation operation;
    readonly OpenApiOperationTransformerContext context;
    readonly OpenApiDocument document;
    readonly IList<object> metadata;
    readonly bool isOpen;
    readonly bool isLimited;
    readonly string? permission;

    public OperationDescription(OpenApiOperation operation, OpenApiOperationTransformerContext context)
    {
        this.operation = operation;
        this.context = context;
        document = context.Document!;
        metadata = context.Description.ActionDescriptor.EndpointMetadata;
        isOpen = Find<IAllowAnonymous>() is not null;
        isLimited = Find<Unlimited>() is null;
        permission = Find<RequiredPermission>()?.Permission;
    }

    Parameter[] TakenHeaders => [.. metadata.OfType<TakenHeaders>().SelectMany(taken => taken.Headers)];

    public async Task DescribeAsync(CancellationToken ct)
    {
        DescribeAccess();
        DescribeParameters();
        await DescribeBodyAsync(ct);
        operation.Responses ??= [];
        await DescribeOtherAnswersAsync(ct);
        DescribeAnswerHeaders();
        DescribeStream();
        if (isLimited)
            DescribeRefusals();
    }

    T? Find<T>()
        where T : class => metadata.OfType<T>().LastOrDefault();

    void DescribeAccess()
    {
        string?[] sentences =
        [
            operation.Description,
            permission is not null ? $"Requires the permission `{permission}`."
            : isOpen ? "Requires no authentication."
            : "Requires authentication.",
            Find<RequiredSession>() switch
            {
                { Recent: true, OrKey: true } => "Requires a session with recent authentication, or an API key.",
                { Recent: true } => "Requires a session with recent authentication; API keys are not accepted.",
                { OrKey: true } => "Requires a session or an API key.",
                { } => "Requires a session; API keys are not accepted.",
                null => null,
            },
        ];
        operation.Description = string.Join(" ", sentences.OfType<string>());
        OpenApiSecurityRequirement token = new()
        {
            [new OpenApiSecuritySchemeReference(ApiDescription.Bearer, document)] = [],
        };
        operation.Security =
            !isOpen ? [token]
            : permission is null ? []
            // The endpoint finds out by itself who calls: the token may come in another way too.
            : [token, []];
    }

    void DescribeParameters()
    {
        var path = metadata
            .OfType<PathParameter>()
            .Select(taken => taken.Parameter)
            .Where(parameter =>
                context.Description.RelativePath!.Contains($"{{{parameter.Name}}}", StringComparison.Ordinal)
            )
            .Select(parameter => Described(parameter with { IsRequired = true }, ParameterLocation.Path));
        var query = (Find<DescribedQuery>()?.Parameters ?? []).Select(parameter =>
            Described(parameter, ParameterLocation.Query)
        );
        var headers = TakenHeaders.Select(header => Described(header, ParameterLocation.Header));
        operation.Parameters = [.. path, .. query, .. headers];
    }

    static OpenApiParameter Described(Parameter parameter, ParameterLocation location) =>
        new()
        {
            Name = parameter.Name,
            In = location,
            Required = parameter.IsRequired,
            Description = parameter.Description,
            Example = parameter.Example,
            Schema = parameter.Schema,
        };

    async Task DescribeBodyAsync(CancellationToken ct)
    {
        var content = new Dictionary<string, OpenApiMediaType>();
        foreach (var body in metadata.OfType<TakenBody>())
            content[body.MediaType] = new()
            {
                Schema = await SchemaAsync(body.Type, ct),
                Example = JsonNode.Parse(body.Example),
            };
        if (content.Count > 0)
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = content };
    }

    async Task<IOpenApiSchema> SchemaAsync(Type type, CancellationToken ct)
    {
        var schema = await context.GetOrCreateSchemaAsync(type, cancellationToken: ct);
        if (!type.IsArray)
            return document.SchemaOf(type, schema);
        // A list stands where it is used; everything else has a name.
        var item = type.GetElementType()!;
        schema.Items = document.SchemaOf(item, await context.GetOrCreateSchemaAsync(item, cancellationToken: ct));
        return schema;
    }

    async Task DescribeOtherAnswersAsync(CancellationToken ct)
    {
        var others = metadata.OfType<OtherAnswer>().ToArray();
        if (others is [] || operation.Responses!["200"].Content!["application/json"] is not OpenApiMediaType first)
            return;
        var forms = new List<IOpenApiSchema> { first.Schema! };
        foreach (var other in others)
        {
            // The framework writes out what is asked for here, where it names what it finds itself.
            var envelope = await context.GetOrCreateSchemaAsync(other.Type, cancellationToken: ct);
            envelope.Properties!["data"] = document.SchemaOf(
                other.Type.GenericTypeArguments[0],
                envelope.Properties["data"]
            );
            envelope.Properties["meta"] = new OpenApiSchemaReference(nameof(Meta), document);
            forms.Add(document.SchemaOf(other.Type, envelope));
        }
        first.Schema = new OpenApiSchema { OneOf = forms };
    }

    void DescribeAnswerHeaders()
    {
        Parameter[] carried = [.. metadata.OfType<CarriedHeaders>().SelectMany(each => each.Headers)];
        var canReplay = TakenHeaders.Contains(RequestHeaders.IdempotencyKey);
        foreach (var (status, response) in operation.Responses!)
            if (response is OpenApiResponse success && status[0] is '1' or '2' or '3' or '5')
                success.Headers = document.HeadersOf([
                    .. carried.Where(header => header == AnswerHeaders.ETag || status is not "304"),
                    .. canReplay ? [AnswerHeaders.IdempotencyReplayed] : Array.Empty<Parameter>(),
                    .. isLimited ? [AnswerHeaders.RateLimitPolicy, AnswerHeaders.RateLimit] : Array.Empty<Parameter>(),
                    AnswerHeaders.RequestId,
                    .. status is "503" ? [AnswerHeaders.RetryAfter] : Array.Empty<Parameter>(),
                ]);
    }

    void DescribeStream()
    {
        if (Find<StreamsEvents>() is { } streams && operation.Responses!["200"].Content is { } contents)
            contents[StreamsEvents.MediaType] = new()
            {
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = streams.Description },
            };
    }

    void DescribeRefusals()
    {
        var responses = operation.Responses!;
        var statuses = responses.Keys.ToDictionary(key => int.Parse(key, CultureInfo.InvariantCulture));
        var refused = (Find<AlwaysRefuses>()?.Statuses ?? [])
            .Where(status => status is not 403 || !isOpen || permission is not null)
            .Union(statuses.Keys.Where(status => status >= 400));
        operation.Responses = [];
        foreach (var status in statuses.Keys.Except(refused).Order())
            operation.Responses.Add(statuses[status], responses[statuses[status]]);
        foreach (var status in refused.Order())
            operation.Responses.Add(
                status.ToString(CultureInfo.InvariantCulture),
                new OpenApiResponseReference(Refusals.NameOf(status), document)
            );
    }
}
