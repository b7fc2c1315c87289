using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Resources.Api.Tests;

/// <summary>The OpenAPI document, compared with the server.</summary>
public sealed class ApiDescriptionTests(Backend backend)
{
    async Task<JsonElement> DocumentAsync() => (await backend.Guest.GetAsync("/openapi/v1.json")).At("")!.Value;

    static IEnumerable<(string Method, string Path, JsonElement Operation)> Operations(JsonElement document) =>
        from path in document.GetProperty("paths").EnumerateObject()
        from operation in path.Value.EnumerateObject()
        select (operation.Name.ToUpperInvariant(), path.Name, operation.Value);

    IEnumerable<RouteEndpoint> Served =>
        from endpoint in backend
            .Server.Services.GetRequiredService<EndpointDataSource>()
            .Endpoints.OfType<RouteEndpoint>()
        where
            endpoint.RoutePattern.RawText is { } path
            && (
                path.StartsWith(ApiGroup.Path, StringComparison.Ordinal)
                || path.StartsWith("/health", StringComparison.Ordinal)
                || path.StartsWith("/.well-known", StringComparison.Ordinal)
            )
        select endpoint;

    [Fact]
    [Trait("Conformance", "J10")]
    public async Task Description_lists_exactly_the_served_routes()
    {
        var served =
            from endpoint in Served
            from method in endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
            where method is not ("HEAD" or "CONNECT")
            select $"{method} {endpoint.RoutePattern.RawText!.TrimEnd('/')}";
        Assert.Equal(
            served.Order(StringComparer.Ordinal),
            Operations(await DocumentAsync())
                .Select(operation => $"{operation.Method} {operation.Path}")
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Every_operation_has_a_unique_id_and_its_permission()
    {
        var operations = Operations(await DocumentAsync()).ToArray();
        var names = operations
            .Select(operation => operation.Operation.GetProperty("operationId").GetString()!)
            .ToArray();
        Assert.Equal(names.Distinct(), names);
        var open = Served
            .Where(endpoint => endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            .ToDictionary(
                endpoint => endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()!.EndpointName,
                endpoint =>
                    (object?)endpoint.Metadata.GetMetadata<RequiredPermission>()
                    ?? endpoint.Metadata.GetMetadata<FindsCaller>()
            );
        // An open operation that needs a caller takes its token in another way too.
        foreach (var (_, _, operation) in operations)
            Assert.Equal(
                !open.TryGetValue(operation.GetProperty("operationId").GetString()!, out var permission) ? 1
                    : permission is null ? 0
                    : 2,
                operation.GetProperty("security").GetArrayLength()
            );
    }

    [Fact]
    public async Task Every_returned_status_is_described()
    {
        var described = Operations(await DocumentAsync())
            .ToDictionary(
                operation => operation.Operation.GetProperty("operationId").GetString()!,
                operation =>
                    operation
                        .Operation.GetProperty("responses")
                        .EnumerateObject()
                        .Select(response => response.Name)
                        .ToHashSet()
            );
        // Whatever tests ran before in this process have left their answers; a few of its own make sure there are some.
        foreach (
            var (method, path, body) in new[]
            {
                ("GET", "/api/v1/me", null),
                ("GET", "/api/v1/resources/none", null),
                ("POST", "/api/v1/resources", "{}"),
                ("POST", "/api/v1/resources", """{"name":"described"}"""),
            }
        )
            await backend.Admin.SendAsync(method, path, body);

        Assert.All(backend.Server.Answered.Keys, answer =>
            Assert.Contains($"{answer.Status}", described[answer.Endpoint])
        );
    }

    [Fact]
    public async Task Described_parameters_match_those_that_endpoints_read()
    {
        var described = Operations(await DocumentAsync())
            .ToDictionary(
                operation => operation.Operation.GetProperty("operationId").GetString()!,
                operation => operation.Operation
            );
        foreach (var endpoint in Served)
        {
            var operation = described[endpoint.Metadata.GetMetadata<IEndpointNameMetadata>()!.EndpointName];
            var parameters = operation.TryGetProperty("parameters", out var list)
                ? list.EnumerateArray().ToArray()
                : [];
            Assert.Equal(
                endpoint.Metadata.GetMetadata<QueryParameters>()?.Names ?? [],
                parameters
                    .Where(parameter => parameter.GetProperty("in").GetString() is "query")
                    .Select(parameter => parameter.GetProperty("name").GetString()!)
            );
            Assert.Equal(
                endpoint.RoutePattern.Parameters.Select(parameter => parameter.Name),
                parameters
                    .Where(parameter => parameter.GetProperty("in").GetString() is "path")
                    .Select(parameter => parameter.GetProperty("name").GetString()!)
            );
            Assert.All(parameters, parameter => Assert.NotEmpty(parameter.GetProperty("description").GetString()!));
        }
    }

    [Fact]
    public async Task Every_tag_in_use_is_described_and_no_other()
    {
        var document = await DocumentAsync();
        var described = document.GetProperty("tags").EnumerateArray().ToArray();
        Assert.Equal(
            Operations(document)
                .SelectMany(operation => operation.Operation.GetProperty("tags").EnumerateArray())
                .Select(tag => tag.GetString())
                .Distinct()
                .Order(StringComparer.Ordinal),
            described.Select(tag => tag.GetProperty("name").GetString()).Order(StringComparer.Ordinal)
        );
        Assert.All(described, tag => Assert.NotEmpty(tag.GetProperty("description").GetString()!));
    }

    [Fact]
    public async Task Examples_of_bodies_fit_their_schemas()
    {
        var document = await DocumentAsync();
        var schemas = document.GetProperty("components").GetProperty("schemas");
        JsonElement Resolve(JsonElement schema) =>
            schema.TryGetProperty("$ref", out var reference)
                ? schemas.GetProperty(reference.GetString()!.Split('/')[^1])
                : schema;
        foreach (var (_, path, operation) in Operations(document))
        {
            if (!operation.TryGetProperty("requestBody", out var body))
                continue;
            foreach (var content in body.GetProperty("content").EnumerateObject())
            {
                var schema = Resolve(content.Value.GetProperty("schema"));
                var example = content.Value.GetProperty("example");
                var isList = example.ValueKind is JsonValueKind.Array;
                var known = isList ? Resolve(schema.GetProperty("items")) : schema;
                foreach (var each in isList ? [.. example.EnumerateArray()] : new[] { example })
                {
                    var members = each.EnumerateObject().Select(member => member.Name).ToArray();
                    var required = known.TryGetProperty("required", out var names)
                        ? names.EnumerateArray().Select(name => name.GetString()!)
                        : [];
                    Assert.All(members, member =>
                        Assert.True(known.GetProperty("properties").TryGetProperty(member, out _), $"{path}: {member}")
                    );
                    Assert.Empty(required.Except(members));
                }
            }
        }
    }

    [Fact]
    public async Task Failures_stand_in_order_after_successes()
    {
        foreach (var (_, path, operation) in Operations(await DocumentAsync()))
        {
            var statuses = operation.GetProperty("responses").EnumerateObject().Select(response => response.Name);
            Assert.Equal((path, string.Join(' ', statuses.Order())), (path, string.Join(' ', statuses)));
        }
    }

    [Fact]
    public void Problems_of_features_are_published_by_status()
    {
        var own = new ProblemType("OUT_OF_STOCK", 409, "Out of stock");
        var catalogue = new ProblemCatalogue([new Shop(own)]);
        Assert.Contains(own, catalogue.With(409));
        Assert.Equal(ProblemType.All.Append(own).OrderBy(type => type.Status), catalogue.All);
    }

    sealed class Shop(ProblemType problem) : Feature
    {
        public override ProblemType[] Problems => [problem];
    }

    [Fact]
    public async Task Description_has_texts_for_people_and_names_every_code()
    {
        var document = await DocumentAsync();
        var info = document.GetProperty("info");
        Assert.Equal("Resources", info.GetProperty("title").GetString());
        Assert.Equal("Apache-2.0", info.GetProperty("license").GetProperty("identifier").GetString());
        var introduction = info.GetProperty("description").GetString()!;
        Assert.All(ProblemType.All, type => Assert.Contains($"`{type.Code}`", introduction, StringComparison.Ordinal));
        Assert.Equal(
            "object",
            document
                .GetProperty("components")
                .GetProperty("schemas")
                .GetProperty("JsonObject")
                .GetProperty("type")
                .GetString()
        );
        Assert.DoesNotContain("\"integer\",\"string\"", JsonSerializer.Serialize(document), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Description_begins_with_requests_that_exist_and_ends_with_the_problem_codes()
    {
        var document = await DocumentAsync();
        var text = document.GetProperty("info").GetProperty("description").GetString()!;
        var paths = document.GetProperty("paths");
        string[] parts = ["## Getting started", "/auth/login", "Create", "List", "Stream", "## Problem codes"];
        Assert.Equal(parts, parts.OrderBy(part => text.IndexOf(part, StringComparison.Ordinal)));
        Assert.All(Regex.Matches(text, @"(?:\$API|/api/v1)(/[a-z/-]+)"), address =>
            Assert.True(paths.TryGetProperty("/api/v1" + address.Groups[1].Value, out _), address.Value)
        );
        Assert.EndsWith("|", text.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal("/api/v1/resources", paths.EnumerateObject().First().Name);
    }

    [Fact]
    public async Task Streams_are_described_but_not_as_an_alternative_to_JSON()
    {
        foreach (var (_, path, operation) in Operations(await DocumentAsync()))
        foreach (var response in operation.GetProperty("responses").EnumerateObject())
            if (response.Value.TryGetProperty("content", out var content))
                Assert.True(
                    content.EnumerateObject().Count() is 1
                        || content.EnumerateObject().All(type => type.Name.EndsWith("json", StringComparison.Ordinal)),
                    $"{path} {response.Name}"
                );
    }

    [Fact]
    public async Task Reference_page_requests_no_other_host()
    {
        var page = await backend.Guest.GetAsync("/docs/");
        Assert.Equal(200, page.Status);
        Assert.DoesNotContain("://", System.Text.Encoding.UTF8.GetString(page.Body), StringComparison.Ordinal);
        var policy = page["Content-Security-Policy"]!;
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        Assert.Matches("script-src 'self' 'nonce-[^']+';", policy);
    }
}
