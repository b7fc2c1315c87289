using System.Globalization;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace Resources.Api;

/// <summary>The OpenAPI document, the API reference made of it, and the published list of problems.</summary>
public static class ApiDescription
{
    /// <summary>The security scheme of every operation that needs a caller.</summary>
    public const string Bearer = "bearer";

    public static void AddApiDescription(this IServiceCollection services)
    {
        services.AddSingleton<ProblemCatalogue>();
        // Without this the document offers strings in place of numbers.
        services.ConfigureHttpJsonOptions(options =>
            options.SerializerOptions.NumberHandling = JsonNumberHandling.Strict
        );
        services.AddOpenApi("v1", options =>
        {
            options.CreateSchemaReferenceId = SchemaDescription.NameOf;
            options
                .AddSchemaTransformer(SchemaDescription.DescribeAsync)
                .AddOperationTransformer(
                    (operation, context, ct) => new OperationDescription(operation, context).DescribeAsync(ct)
                )
                .AddDocumentTransformer(DescribeAsync);
        });
    }

    public static void MapApiDescription(this WebApplication app)
    {
        app.MapOpenApi("/openapi/v1.json").AllowAnonymous().TakesHead().ServedOnce();
        // The page fetches nothing from other hosts, so that it works without access to them.
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
            .TakesHead()
            .ServedOnce();
        app.MapRead("/problems", (ProblemCatalogue problems) =>
                new BareAnswer<IReadOnlyList<ProblemType>>(problems.All)
            )
            .AllowAnonymous()
            .ExcludeFromDescription();
    }

    static Task DescribeAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        var problems = context.ApplicationServices.GetRequiredService<ProblemCatalogue>();
        var features = context.ApplicationServices.GetRequiredService<IReadOnlyList<Feature>>();
        document.Info = new()
        {
            Title = "Resources",
            Version = typeof(ApiDescription).Assembly.GetName().Version!.ToString(3),
            Description = Introduction.Of(problems),
            License = new() { Name = "Apache License 2.0", Identifier = "Apache-2.0" },
        };
        document.Servers = [new() { Url = "/", Description = "This server" }];
        document.Tags = features
            .SelectMany(feature => feature.Tags)
            .Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description })
            .ToHashSet();
        document.Components ??= new();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "JWT",
                Description = "An access token from `POST /api/v1/auth/login`, or an API key.",
            },
        };
        // HEAD is GET without the body; the introduction says so once.
        foreach (var path in document.Paths.Values)
            path.Operations?.Remove(HttpMethod.Head);
        // As the tags: resources come first.
        var tags = features.SelectMany(feature => feature.Tags).Select(tag => tag.Name).ToList();
        var paths = new OpenApiPaths();
        foreach (var (path, item) in document.Paths.OrderBy(each => tags.IndexOf(TagOf(each.Value))))
            paths.Add(path, item);
        document.Paths = paths;
        var answered = document
            .Paths.Values.SelectMany(path => path.Operations!.Values)
            .SelectMany(operation => operation.Responses!.Keys)
            .ToHashSet();
        document.Components.Responses = problems
            .All.Select(type => type.Status)
            .Distinct()
            .Where(status => answered.Contains(status.ToString(CultureInfo.InvariantCulture)))
            .ToDictionary(Refusals.NameOf, status => Refusals.Describe(status, problems.With(status), document));
        SchemaDescription.Finish(document);
        return Task.CompletedTask;
    }

    static string TagOf(IOpenApiPathItem path) => path.Operations!.Values.First().Tags!.First().Name!;
}
