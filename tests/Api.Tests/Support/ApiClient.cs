using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>A client that sends requests as written and reads whole responses.</summary>
public sealed class ApiClient(Uri address, string? token = null)
{
    readonly HttpClient http = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
        }
    )
    {
        BaseAddress = address,
    };

    public string? Token => token;

    /// <summary>The same server with another token.</summary>
    public ApiClient With(string otherToken) => new(address, otherToken);

    public async Task<ApiClient> LoginAsync(string email, string password)
    {
        var answer = await SendAsync(
            "POST",
            "/api/v1/auth/login",
            $$"""{"email":"{{email}}","password":"{{password}}"}"""
        );
        Assert.Equal(200, answer.Status);
        return With(answer.Text("/data/accessToken")!);
    }

    public Task<ApiClient> LoginAsAdminAsync() => LoginAsync(TestServer.AdminEmail, TestServer.AdminPassword);

    public Task<Answer> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync("GET", path, null, headers: headers);

    public Task<Answer> SendAsync(
        string method,
        string path,
        string? body = null,
        string contentType = "application/json",
        params (string Name, string Value)[] headers
    ) => SendAsync(method, path, body is null ? null : Content(Encoding.UTF8.GetBytes(body), contentType), headers);

    /// <summary>Posts an object as JSON to a path below <c>/api/v1</c>.</summary>
    public Task<Answer> PostAsync(string path, object body, params (string Name, string Value)[] headers) =>
        SendAsync("POST", "/api/v1" + path, JsonSerializer.Serialize(body), headers: headers);

    public async Task<Answer> SendAsync(
        string method,
        string path,
        HttpContent? body,
        params (string Name, string Value)[] headers
    )
    {
        // Dots and escapes in paths are part of some tests: nothing may tidy them away.
        using var request = new HttpRequestMessage(
            new HttpMethod(method),
            new Uri(
                address.GetLeftPart(UriPartial.Authority) + path,
                new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }
            )
        )
        {
            Content = body,
        };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        foreach (var (name, value) in headers)
        {
            if (name is "Authorization")
                request.Headers.Authorization = null;
            if (!request.Headers.TryAddWithoutValidation(name, value))
                Assert.True(request.Content?.Headers.TryAddWithoutValidation(name, value));
        }
        using var response = await http.SendAsync(request);
        return await Answer.ReadAsync(request, response);
    }

    public static HttpContent Content(byte[] bytes, string? contentType = "application/json")
    {
        var content = new ByteArrayContent(bytes);
        if (contentType is not null)
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return content;
    }
}
