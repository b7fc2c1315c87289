using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Short ways to run operations of GraphQL.</summary>
public abstract class GraphBackend(Backend backend) : TypeBackend(backend)
{
    /// <summary>A name of a type that is the same in GraphQL.</summary>
    protected static string FreshName() => $"b{Guid.NewGuid():n}";

    protected static string Pascal(string name) => char.ToUpperInvariant(name[0]) + name[1..];

    protected Task<Answer> AskAsync(string query, object? variables = null, ApiClient? caller = null) =>
        (caller ?? Admin).SendAsync("POST", "/api/v1/graphql", JsonSerializer.Serialize(new { query, variables }));

    /// <summary>An answer without errors.</summary>
    protected async Task<Answer> DataAsync(string query, object? variables = null, ApiClient? caller = null)
    {
        var answer = await AskAsync(query, variables, caller);
        Assert.True(answer.Status is 200 && answer.At("/errors") is null, $"{answer}");
        return answer;
    }
}
