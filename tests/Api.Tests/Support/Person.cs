using System.Text.Json;
using OtpNet;

namespace Resources.Api.Tests;

/// <summary>An account of one test, with sessions that its owner could have started.</summary>
sealed class Person(Uri address, string email, Guid id)
{
    public const string Password = "a password of enough length";

    public string Email => email;

    public Guid Id => id;

    public ApiClient Guest { get; } = new(address);

    /// <summary>Creates an account with roles.</summary>
    public static async Task<Person> CreateAsync(ApiClient admin, Uri address, params string[] roles)
    {
        var email = $"{Guid.NewGuid():n}@example.org";
        var made = await admin.SendAsync(
            "POST",
            "/api/v1/users",
            $$"""{"email":"{{email}}","password":"{{Password}}","roles":{{JsonSerializer.Serialize(roles)}}}"""
        );
        Assert.True(made.Status is 201, $"{made}");
        return new(address, email, Guid.Parse(made.Text("/data/id")!));
    }

    public Task<Answer> TryAsync(
        string password = Password,
        bool cookie = false,
        params (string Name, string Value)[] headers
    ) =>
        Guest.PostAsync(
            "/auth/login",
            new
            {
                email,
                password,
                cookie,
            },
            headers
        );

    /// <summary>A session by tokens.</summary>
    public async Task<Session> LoginAsync(string password = Password)
    {
        var answer = await TryAsync(password);
        Assert.True(answer.Status is 200, $"{answer}");
        return Of(answer);
    }

    public Session Of(Answer answer) =>
        new(Guest.With(answer.Text("/data/accessToken")!), answer.Text("/data/refreshToken")!);

    public Task<Answer> RefreshAsync(string token) =>
        Guest.SendAsync("POST", "/api/v1/auth/refresh", $$"""{"refreshToken":"{{token}}"}""");

    /// <summary>A session by cookie, as in a browser.</summary>
    public async Task<(string Cookie, string Csrf, Answer Answer)> LoginByCookieAsync()
    {
        var answer = await TryAsync(cookie: true);
        Assert.True(answer.Status is 200, $"{answer}");
        return (answer.Cookie("__Host-session")!, answer.Text("/data/csrfToken")!, answer);
    }

    /// <summary>Sets up one-time codes and returns the secret. This uses the code of the previous time step.</summary>
    public static async Task<byte[]> EnrollAsync(ApiClient caller)
    {
        var enrolled = await caller.SendAsync("POST", "/api/v1/me/mfa/totp");
        Assert.True(enrolled.Status is 201, $"{enrolled}");
        var secret = Base32Encoding.ToBytes(enrolled.Text("/data/secret"));
        // The step of time may end between the code and its check.
        await Eventually.HoldsAsync(async () =>
            (
                await caller.SendAsync("POST", "/api/v1/me/mfa/totp/confirm", $$"""{"code":"{{Code(secret, -30)}}"}""")
            ).Status
                is 204
        );
        return secret;
    }

    /// <summary>The one-time code at an offset from now.</summary>
    public static string Code(byte[] secret, int seconds = 0) =>
        new Totp(secret).ComputeTotp(DateTime.UtcNow.AddSeconds(seconds));

    /// <summary>Completes a login with a second factor.</summary>
    public Task<Answer> FinishAsync(Answer half, string method, string code) =>
        FinishAsync(half.Text("/data/mfaToken")!, method, code);

    /// <inheritdoc cref="FinishAsync(Answer, string, string)"/>
    public Task<Answer> FinishAsync(string token, string method, string code) =>
        Guest.SendAsync(
            "POST",
            "/api/v1/auth/mfa",
            JsonSerializer.Serialize(
                new
                {
                    mfaToken = token,
                    method,
                    code,
                }
            )
        );

    /// <summary>Tokens of a session.</summary>
    public sealed record Session(ApiClient Caller, string RefreshToken);
}
