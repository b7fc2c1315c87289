namespace Resources.Api;

/// <summary>What a visitor of the server's address reads first.</summary>
/// <param name="Name">The product.</param>
/// <param name="Links">What there is to go on with, by purpose.</param>
public sealed record WelcomeDocument(string Name, string Description, IReadOnlyDictionary<string, string> Links);

/// <summary>The address of the server itself: what this is, and where to go on.</summary>
public static class Welcome
{
    const string Description =
        "An event-sourced resource server: resources, their history, and live streams of events.";

    static readonly (string Purpose, string Address, string Text)[] Links =
    [
        ("docs", "/docs/", "API reference"),
        ("openapi", "/openapi/v1.json", "OpenAPI document"),
        ("problems", "/problems", "Error codes"),
        ("health", "/health", "Health"),
        ("api", "/api/v1", "The API begins here, and needs a token"),
    ];

    static readonly WelcomeDocument Document = new(
        "Resources",
        Description,
        Links.ToDictionary(link => link.Purpose, link => link.Address)
    );

    // Without styles or scripts, as the policy of every answer forbids both.
    static readonly string Page = $"""
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Resources</title>
        <h1>Resources</h1>
        <p>{Description}</p>
        <ul>
        {string.Join('\n', Links.Select(link => $"<li><a href=\"{link.Address}\">{link.Text}</a></li>"))}
        </ul>
        </html>

        """;

    public static void MapWelcome(this IEndpointRouteBuilder root) =>
        root.MapRead("/", Choose).AllowAnonymous().ExcludeFromDescription();

    static Answer Choose(HttpContext context)
    {
        context.Response.Headers.Append("Vary", "Accept");
        return Accepted.Read(context.Request).Prefers("text", "html")
            ? new StreamedAnswer(WritePageAsync)
            : new BareAnswer<WelcomeDocument>(Document);
    }

    static Task WritePageAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(Page);
    }
}
