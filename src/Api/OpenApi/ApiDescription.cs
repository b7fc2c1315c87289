using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace Resources.Api;

/// <summary>The OpenAPI document, the API reference made of it, and the published list of problems.</summary>
public static class ApiDescription
{
    /// <summary>The security scheme of everything that is not open to all.</summary>
    public const string Bearer = "bearer";

    static readonly (string Tag, string Description)[] Tags =
    [
        ("auth", "Ways in and out, and the caller."),
        ("sessions", "Sessions."),
        ("mfa", "Second factors and passkeys."),
        ("api-keys", "Keys for programs."),
        ("users", "Accounts, for administrators."),
        ("roles", "Who may do what."),
        ("audit", "Who did what."),
        ("resources", "Resources with their whole history."),
        ("operations", "Probes."),
    ];

    public static void AddApiDescription(this IServiceCollection services)
    {
        // Numbers are numbers: without this the document offers texts in their place.
        services.ConfigureHttpJsonOptions(options =>
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict
        );
        services.AddOpenApi("v1", options =>
            options
                .AddSchemaTransformer(SchemaDescription.DescribeAsync)
                .AddOperationTransformer(OperationDescription.DescribeAsync)
                .AddDocumentTransformer(DescribeAsync)
        );
    }

    public static void MapApiDescription(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous().TakesHead();
        // Whatever the page would fetch from elsewhere is left out: it works where nothing else can be reached.
        app.MapScalarApiReference("/docs", options =>
            {
                options.Title = "Resources";
                options.DefaultFonts = false;
                options.Telemetry = false;
                options.Agent = new() { Disabled = true };
                options.Mcp = new() { Disabled = true };
                options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
                options.HideClientButton = true;
                options.WithNonce().AddPreferredSecuritySchemes(Bearer);
            })
            .AllowAnonymous()
            .TakesHead();
        app.MapRead("/problems", (HttpContext context) =>
                Responses.WriteAsync<IReadOnlyList<ProblemType>>(
                    context,
                    ProblemType.All,
                    HttpJson.Default.IReadOnlyListProblemType,
                    "application/json"
                )
            )
            .AllowAnonymous()
            .ExcludeFromDescription();
    }

    static Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        document.Info = new()
        {
            Title = "Resources",
            Version = typeof(ApiDescription).Assembly.GetName().Version!.ToString(3),
            Description = Introduction(),
        };
        document.Servers = [new() { Url = "/", Description = "This server" }];
        document.Tags = Tags.Select(tag => new OpenApiTag { Name = tag.Tag, Description = tag.Description })
            .ToHashSet();
        document.Components ??= new();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "JWT",
                Description = "The access token of `POST /api/v1/auth/login`.",
            },
        };
        document.Components.Headers = HeaderDescription.Headers();
        // HEAD is GET without the body; describing it twice would say nothing more.
        foreach (var path in document.Paths.Values)
            path.Operations?.Remove(HttpMethod.Head);
        var answered = document
            .Paths.Values.SelectMany(path => path.Operations!.Values)
            .SelectMany(operation => operation.Responses!.Keys)
            .ToHashSet();
        document.Components.Responses = ProblemType
            .All.Select(type => type.Status)
            .Distinct()
            .Where(status => answered.Contains(status.ToString(CultureInfo.InvariantCulture)))
            .ToDictionary(OperationDescription.NameOf, status => OperationDescription.Refusal(status, document));
        SchemaDescription.Finish(document);
        return Task.CompletedTask;
    }

    static string Introduction()
    {
        var text = new StringBuilder(
            """
            An event-sourced resource server. Every answer is JSON: `success`, `data` and `meta`, or a problem document (RFC 9457) with a stable `code`.
            HEAD works wherever GET does. Versions are entity tags; writes take `If-Match` and `Idempotency-Key`. Unknown parameters and members are refused.

            | status | code | meaning |
            |---|---|---|

            """
        );
        foreach (var type in ProblemType.All)
            text.Append("| ")
                .Append(type.Status)
                .Append(" | `")
                .Append(type.Code)
                .Append("` | ")
                .Append(type.Title)
                .Append(" |\n");
        return text.ToString();
    }
}
