using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Short ways to declare types and to write resources of them, as an administrator.</summary>
public abstract class TypeBackend(Backend backend)
{
    protected static readonly (string, string) Any = ("If-Match", "*");

    protected Backend Backend { get; } = backend;

    protected ApiClient Admin => Backend.Admin;

    protected static string FreshType() => $"t{Guid.NewGuid():n}";

    /// <summary>A definition of a type; the rest of its members follow the schema.</summary>
    protected static string Definition(string type, string schema = """{"type":"object"}""", string rest = "") =>
        $$"""{"name":"{{type}}","schema":{{schema}}{{(rest is "" ? "" : "," + rest)}}}""";

    protected Task<Answer> DeclareAsync(string definition, string query = "") =>
        Admin.SendAsync("POST", "/api/v1/types" + query, definition);

    protected Task<Answer> PutTypeAsync(
        string type,
        string definition,
        string query = "",
        params (string, string)[] headers
    ) =>
        Admin.SendAsync(
            "PUT",
            $"/api/v1/types/{type}{query}",
            definition,
            "application/json",
            headers is [] ? [Any] : headers
        );

    protected Task<Answer> CreateAsync(string type, string metadata, string? status = null, string name = "n") =>
        Admin.SendAsync(
            "POST",
            "/api/v1/resources",
            $$"""{"name":{{JsonSerializer.Serialize(name)}},"type":"{{type}}","metadata":{{metadata}}{{(status is null ? "" : $",\"status\":\"{status}\"")}}}"""
        );

    protected Task<Answer> PatchAsync(string id, string patch) =>
        Admin.SendAsync("PATCH", $"/api/v1/resources/{id}", patch, "application/merge-patch+json");

    protected Task<Answer> DeleteAsync(string id) => Admin.SendAsync("DELETE", $"/api/v1/resources/{id}");

    protected Task<Answer> RestoreAsync(string id, string? body = null) =>
        Admin.SendAsync("POST", $"/api/v1/resources/{id}/restore", body);

    protected async Task<string> MadeAsync(string type, string metadata, string? status = null, string name = "n")
    {
        var made = await CreateAsync(type, metadata, status, name);
        Assert.True(made.Status is 201, $"{made}");
        return made.Text("/data/id")!;
    }

    protected static void Is(Answer answer, int status, string? code = null, params string[] faults) =>
        Assert.Equal(
            (status, code, string.Join(' ', faults)),
            (answer.Status, answer.Code, string.Join(' ', answer.Faults))
        );
}
