using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.OpenApi;

namespace Resources.Api;

/// <summary>Describes failures among the components: one response for each status.</summary>
static class Refusals
{
    /// <summary>The name of a status among the components.</summary>
    public static string NameOf(int status) =>
        ReasonPhrases
            .GetReasonPhrase(status)
            .Replace(" ", "", StringComparison.Ordinal)
            .Replace("-", "", StringComparison.Ordinal);

    /// <summary>The response of failures with a status; its description lists their codes.</summary>
    public static IOpenApiResponse Describe(int status, IEnumerable<ProblemType> types, OpenApiDocument document)
    {
        Parameter[] own = status switch
        {
            401 => [AnswerHeaders.WwwAuthenticate],
            412 => [AnswerHeaders.ETag],
            426 => [AnswerHeaders.Upgrade],
            415 => [AnswerHeaders.AcceptPost, AnswerHeaders.AcceptPatch],
            400 or 429 or 503 => [AnswerHeaders.RetryAfter],
            _ => [],
        };
        return new OpenApiResponse
        {
            Description = string.Join(" ", types.Select(type => $"`{type.Code}`: {type.Title}.")),
            Headers = document.HeadersOf([
                .. own,
                AnswerHeaders.RateLimitPolicy,
                AnswerHeaders.RateLimit,
                AnswerHeaders.RequestId,
            ]),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["application/problem+json"] = new OpenApiMediaType
                {
                    Schema = new OpenApiSchemaReference(nameof(Problem), document),
                    Example = Example(types.First()),
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
}
