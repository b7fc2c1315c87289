namespace Resources.Api.Tests;

/// <summary>What a visitor without a token finds.</summary>
public sealed class WelcomeTests(Backend backend)
{
    [Fact]
    public async Task Address_of_the_server_says_what_it_is_to_browsers_and_to_programs()
    {
        var page = await backend.Guest.GetAsync("/", ("Accept", "text/html,application/xhtml+xml"));
        Assert.Equal((200, "text/html; charset=utf-8"), (page.Status, page["Content-Type"]));
        Assert.Contains("href=\"/docs/\"", System.Text.Encoding.UTF8.GetString(page.Body), StringComparison.Ordinal);

        var document = await backend.Guest.GetAsync("/");
        Assert.Equal(
            (200, "Resources", "/docs/"),
            (document.Status, document.Text("/name"), document.Text("/links/docs"))
        );
        foreach (var link in document.At("/links")!.Value.EnumerateObject().Where(link => link.Name is not "api"))
            Assert.Equal(200, (await backend.Guest.GetAsync(link.Value.GetString()!)).Status);
    }

    [Theory]
    [InlineData("GET", "/api/v1/auth/login", "POST")]
    [InlineData("DELETE", "/health", "GET, HEAD")]
    [InlineData("POST", "/", "GET, HEAD")]
    public async Task Wrong_method_on_an_open_address_is_told_as_such(string method, string path, string allowed)
    {
        var refused = await backend.Guest.SendAsync(method, path, method is "POST" ? "{}" : null);
        Assert.Equal((405, allowed), (refused.Status, refused["Allow"]));
    }

    [Fact]
    public async Task Wrong_method_elsewhere_needs_a_caller_first() =>
        Assert.Equal(401, (await backend.Guest.SendAsync("DELETE", "/api/v1/resources")).Status);

    [Theory, InlineData("/api/v1/resources"), InlineData("/api/v1/auth/login")]
    public async Task Preflight_is_never_asked_for_a_credential(string path)
    {
        var answer = await backend.Guest.SendAsync(
            "OPTIONS",
            path,
            headers: [("Origin", "https://elsewhere.example"), ("Access-Control-Request-Method", "POST")]
        );
        Assert.Equal(204, answer.Status);
        Assert.Null(answer["Access-Control-Allow-Origin"]);
    }
}
