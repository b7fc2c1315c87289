using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
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
        await NamePartsAsync(ct);
        DescribeAnswerHeaders();
        DescribeStream();
        if (isLimited)
            DescribeRefusals();
        await DescribeOwnRefusalsAsync(ct);
    }

    T? Find<T>()
        where T : class => metadata.OfType<T>().LastOrDefault();

    void DescribeAccess()
    {
        var session = Find<RequiredSession>();
        string?[] sentences =
        [
            operation.Description,
            permission is not null ? $"Requires the permission `{permission}`."
            : isOpen && Find<FindsCaller>() is null ? "Requires no authentication."
            : session is null ? "Requires authentication."
            : null,
            session switch
            {
                null => null,
                { Recent: true, OrKey: true } => "Requires a session with recent authentication, or an API key.",
                { Recent: true } => "Requires a session with recent authentication; API keys are not accepted.",
                { OrKey: true } => "Requires a session or an API key.",
                _ => "Requires a session; API keys are not accepted.",
            },
        ];
        operation.Description = string.Join(" ", sentences.OfType<string>());
        OpenApiSecurityRequirement token = new()
        {
            [new OpenApiSecuritySchemeReference(ApiDescription.Bearer, document)] = [],
        };
        operation.Security =
            !isOpen ? [token]
            : permission is null && Find<FindsCaller>() is null ? []
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
            operation.RequestBody = new OpenApiRequestBody
            {
                Required = !metadata.OfType<TakenBody>().Any(body => body.IsOptional),
                Content = content,
            };
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

    /// <summary>
    /// Describes forms that a success may have as one document, of which each has some members. Generators make usable
    /// types of that, and not of alternatives.
    /// </summary>
    async Task DescribeOtherAnswersAsync(CancellationToken ct)
    {
        var others = metadata.OfType<OtherAnswer>().ToArray();
        if (others is [] || operation.Responses!["200"].Content!["application/json"] is not OpenApiMediaType first)
            return;
        var forms = metadata
            .OfType<IProducesResponseTypeMetadata>()
            .Where(each => each.StatusCode is StatusCodes.Status200OK)
            .Select(each => each.Type!)
            .Concat(others.Select(other => other.Type))
            .Select(envelope => envelope.GenericTypeArguments[0])
            .ToArray();
        var one = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description =
                $"Has all members of one of {string.Join(", ", forms.Select(form => form.Name))}, and no others.",
            Properties = new Dictionary<string, IOpenApiSchema>(),
        };
        foreach (var form in forms)
        foreach (var (name, member) in (await context.GetOrCreateSchemaAsync(form, cancellationToken: ct)).Properties!)
            one.Properties[name] = member;
        var title = string.Join("Or", forms.Select(form => form.Name));
        document.AddComponent<IOpenApiSchema>(title, one);
        var whole = await context.GetOrCreateSchemaAsync(others[0].Type, cancellationToken: ct);
        whole.Properties!["data"] = new OpenApiSchemaReference(title, document);
        whole.Properties["meta"] = new OpenApiSchemaReference(nameof(Meta), document);
        document.AddComponent<IOpenApiSchema>("EnvelopeOf" + title, whole);
        first.Schema = new OpenApiSchemaReference("EnvelopeOf" + title, document);
    }

    /// <summary>What answers show in part is a component, whether or not others show the whole.</summary>
    async Task NamePartsAsync(CancellationToken ct)
    {
        foreach (var answer in metadata.OfType<IProducesResponseTypeMetadata>())
            if (WholeOf(answer.Type) is { } whole && document.Components?.Schemas?.ContainsKey(whole.Name) is not true)
                await SchemaAsync(whole, ct);
    }

    static Type? WholeOf(Type? type) =>
        type is not { IsGenericType: true } ? null
        : type.GetGenericTypeDefinition() == typeof(Partial<>) ? type.GenericTypeArguments[0]
        : WholeOf(type.GenericTypeArguments[0]);

    void DescribeAnswerHeaders()
    {
        Parameter[] carried = [.. metadata.OfType<CarriedHeaders>().SelectMany(each => each.Headers)];
        var canReplay = TakenHeaders.Contains(RequestHeaders.IdempotencyKey);
        foreach (var (status, response) in operation.Responses!)
            if (response is OpenApiResponse success && status[0] is '1' or '2' or '3' or '5')
                success.Headers = document.HeadersOf([
                    .. carried,
                    .. canReplay ? [AnswerHeaders.IdempotencyReplayed] : Array.Empty<Parameter>(),
                    .. isLimited ? [AnswerHeaders.RateLimitPolicy, AnswerHeaders.RateLimit] : Array.Empty<Parameter>(),
                    AnswerHeaders.RequestId,
                    .. status is "503" ? [AnswerHeaders.RetryAfter] : Array.Empty<Parameter>(),
                ]);
    }

    void DescribeStream()
    {
        if (Find<StreamsEvents>() is not { } streams || operation.Responses!["200"] is not OpenApiResponse response)
            return;
        // Not as a second media type: typed clients would take every answer for text or a document.
        response.Extensions ??= new Dictionary<string, IOpenApiExtension>();
        response.Extensions[StreamsEvents.Extension] = new JsonNodeExtension(streams.Description);
        operation.Description += " " + streams.Description;
    }

    void DescribeRefusals()
    {
        var responses = operation.Responses!;
        var statuses = responses.Keys.ToDictionary(key => int.Parse(key, CultureInfo.InvariantCulture));
        var refused = (Find<AlwaysRefuses>()?.Statuses ?? [])
            .Where(status => status is not 403 || !isOpen || permission is not null)
            // A body may come too slowly.
            .Concat(operation.RequestBody is null ? [] : [StatusCodes.Status408RequestTimeout])
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

    /// <summary>Adds to problems the form that a failure may have here.</summary>
    async Task DescribeOwnRefusalsAsync(CancellationToken ct)
    {
        if (Find<OwnRefusals>() is not { } own)
            return;
        var problems = context.ApplicationServices.GetRequiredService<ProblemCatalogue>();
        var schema = await SchemaAsync(own.Type, ct);
        foreach (var status in own.Statuses)
        {
            var response = Refusals.Describe(status, problems.With(status), document);
            foreach (var mediaType in own.MediaTypes)
                response.Content![mediaType] = new OpenApiMediaType { Schema = schema };
            operation.Responses![status.ToString(CultureInfo.InvariantCulture)] = response;
        }
    }
}
