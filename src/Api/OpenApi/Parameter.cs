using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Resources.Grains;

namespace Resources.Api;

/// <summary>A parameter of a path or a query, or a header, as the reference shows it.</summary>
public sealed record Parameter(string Name, string Description, OpenApiSchema Schema, JsonNode Example)
{
    const string SampleId = "019a8d2e-7b1c-7f3e-8a55-0c6d2b9f4e10";

    /// <summary>Whether requests must have it; those of a path always do.</summary>
    public bool IsRequired { get; init; }

    public static Parameter Text(
        string name,
        string description,
        string example,
        int maxLength,
        [StringSyntax(StringSyntaxAttribute.Regex)] string? pattern = null
    ) =>
        new(
            name,
            description,
            new()
            {
                Type = JsonSchemaType.String,
                MinLength = 1,
                MaxLength = maxLength,
                Pattern = pattern,
            },
            example
        );

    public static Parameter Slug(string name, string description, string example) =>
        Text(name, description, example, Grains.Slug.MaxLength, Grains.Slug.Pattern);

    public static Parameter Id(string name, string description) =>
        new(
            name,
            description,
            new()
            {
                Type = JsonSchemaType.String,
                Format = "uuid",
                MinLength = 36,
                MaxLength = 36,
            },
            SampleId
        );

    /// <summary>A day, as 2026-01-31.</summary>
    public static Parameter Day(string name, string description, string example) =>
        new(
            name,
            description,
            new()
            {
                Type = JsonSchemaType.String,
                Format = "date",
                MaxLength = 10,
            },
            example
        );

    /// <summary>A time of RFC 3339.</summary>
    public static Parameter Time(string name, string description) =>
        new(
            name,
            description,
            new()
            {
                Type = JsonSchemaType.String,
                Format = "date-time",
                MaxLength = 64,
            },
            "2026-01-31T12:00:00Z"
        );

    public static Parameter Number(string name, string description, int example, int min, int? max = null) =>
        new(name, description, Integer("int32", min, max), example);

    public static Parameter LongNumber(string name, string description, long example, long min) =>
        new(name, description, Integer("int64", min, null), example);

    public static Parameter Flag(string name, string description) =>
        new(name, description, new() { Type = JsonSchemaType.Boolean }, false);

    /// <summary>One of a few words, of which the first is the example.</summary>
    public static Parameter Choice(string name, string description, params string[] words) =>
        new(
            name,
            description,
            new() { Type = JsonSchemaType.String, Enum = [.. words.Select(word => JsonValue.Create(word))] },
            words[0]
        );

    static OpenApiSchema Integer(string format, long min, long? max) =>
        new()
        {
            Type = JsonSchemaType.Integer,
            Format = format,
            Minimum = $"{min}",
            Maximum = max is null ? null : $"{max}",
        };
}

/// <summary>The parameters of lists that are answered in pages.</summary>
public static class PageParameters
{
    public static readonly Parameter Limit = Parameter.Number(
        "limit",
        "The page size. Larger values than the maximum are reduced to it.",
        example: 20,
        min: 1
    );

    public static readonly Parameter Cursor = Parameter.Text(
        "cursor",
        "The `meta.page.next` of the previous page of the same list.",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        4096,
        "^[A-Za-z0-9_-]+$"
    );
}
