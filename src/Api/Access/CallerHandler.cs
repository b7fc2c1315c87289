using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Resources.Api;

/// <summary>The framework's way to <see cref="Credentials"/>.</summary>
public sealed class CallerHandler(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory logs,
    UrlEncoder encoder,
    Credentials credentials
) : AuthenticationHandler<AuthenticationSchemeOptions>(options, logs, encoder)
{
    public const string Name = "Resources";

    bool wasSent;

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        (var caller, wasSent) = await credentials.FindAsync(Request);
        if (caller is not null)
            return AuthenticateResult.Success(new(caller.Principal, Scheme.Name));
        return wasSent
            ? AuthenticateResult.Fail("The credential is invalid or expired.")
            : AuthenticateResult.NoResult();
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = wasSent ? "Bearer error=\"invalid_token\"" : "Bearer";
        return Task.CompletedTask;
    }
}
