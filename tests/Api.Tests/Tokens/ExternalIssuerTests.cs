using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Resources.Api.Tests;

/// <summary>Tokens of an external identity provider.</summary>
public sealed class ExternalIssuerTests(Backend backend)
{
    [Fact]
    public async Task Only_the_configured_provider_is_asked_and_its_tokens_are_accepted()
    {
        await using var provider = await Provider.StartAsync();
        await using var other = await Provider.StartAsync();
        await using var node = await backend.StartServerAsync(
            ("Identity:Issuers:0:Issuer", provider.Issuer),
            ("Identity:Issuers:0:Audience", "our-api"),
            ("Identity:Issuers:0:RolesClaim", "groups"),
            ("Identity:Issuers:0:Roles:editors", "author"),
            ("Identity:Issuers:0:Roles:owners", "admin")
        );
        var guest = node.Guest();
        Task<Answer> MeAsync(string token) => guest.With(token).GetAsync("/api/v1/me");

        var me = await MeAsync(provider.Sign());
        Assert.Equal(
            (200, "external", "[\"author\"]", "null"),
            (me.Status, me.Text("/data/credential"), me.Text("/data/roles"), me.Text("/data/email"))
        );
        var made = await guest
            .With(provider.Sign())
            .SendAsync("POST", "/api/v1/resources", """{"name":"by a stranger"}""");
        Assert.Equal((201, me.Text("/data/id")), (made.Status, made.Text("/data/owner")));
        Assert.Equal(
            200,
            (await guest.With(provider.Sign()).GetAsync($"/api/v1/resources/{made.Text("/data/id")}")).Status
        );
        Assert.Equal(
            404,
            (
                await guest
                    .With(provider.Sign(subject: "someone else"))
                    .GetAsync($"/api/v1/resources/{made.Text("/data/id")}")
            ).Status
        );
        Assert.Equal("[]", (await MeAsync(provider.Sign(groups: ["unknown"]))).Text("/data/roles"));
        foreach (var path in new[] { "/api/v1/api-keys", "/api/v1/sessions" })
            Assert.Equal("SESSION_REQUIRED", (await guest.With(provider.Sign()).GetAsync(path)).Code);
        // When its owner has authenticated last nobody here knows.
        Assert.Equal(
            "SESSION_REQUIRED",
            (
                await guest
                    .With(provider.Sign(groups: ["owners"]))
                    .SendAsync("POST", $"/api/v1/subscriptions/{Guid.CreateVersion7()}/secret")
            ).Code
        );

        using var stranger = RSA.Create(2048);
        foreach (
            var forged in new[]
            {
                provider.Sign(audience: "others"),
                provider.Sign(expires: DateTime.UtcNow.AddMinutes(-1)),
                provider.Sign(issuer: provider.Issuer + "/x"),
                provider.Sign(key: new RsaSecurityKey(stranger) { KeyId = provider.KeyId }),
                provider.Sign(
                    algorithm: SecurityAlgorithms.HmacSha256,
                    key: new SymmetricSecurityKey(provider.PublicKey) { KeyId = provider.KeyId }
                ),
                other.Sign(),
            }
        )
            Assert.Equal(401, (await MeAsync(forged)).Status);
        Assert.Equal(0, other.Requests);

        // Its keys change: tokens of the new one are good as soon as they come.
        provider.Rotate();
        await Eventually.HoldsAsync(
            async () => (await MeAsync(provider.Sign())).Status is 200,
            within: TimeSpan.FromSeconds(20)
        );
    }

    /// <summary>
    /// Tokens that a provider signs for others than callers, or not for us alone; raw, as libraries would not make some.
    /// The statuses are those of a provider as it is by default, and of one whose access tokens are of the type JWT.
    /// </summary>
    static readonly (string Name, string Type, string More, string End, int Strict, int Lax)[] Signed =
    [
        ("access token", "at+jwt", "", "300", 200, 200),
        ("access token by media type", "application/at+jwt", "", "300", 200, 200),
        ("access token in capitals", "AT+JWT", "", "300", 200, 200),
        ("access token for a day", "at+jwt", "", "86300", 200, 200),
        ("token without a purpose", "JWT", "", "300", 401, 200),
        ("token without a type", "", "", "300", 401, 401),
        ("ID token by its nonce", "JWT", ""","nonce":"n" """, "300", 401, 401),
        ("ID token by its hash", "JWT", ""","at_hash":"h" """, "300", 401, 401),
        ("ID token by the code's hash", "JWT", ""","c_hash":"h" """, "300", 401, 401),
        ("logout token", "logout+jwt", ""","events":{} """, "300", 401, 401),
        ("logout token of old", "JWT", ""","events":{} """, "300", 401, 401),
        ("security event", "secevent+jwt", "", "300", 401, 401),
        ("proof of a key", "dpop+jwt", "", "300", 401, 401),
        ("bound to a key", "at+jwt", ""","cnf":{"jkt":"k"} """, "300", 401, 401),
        ("bound to a key of old", "JWT", ""","cnf":{"x5t#S256":"k"} """, "300", 401, 401),
        ("two days long", "at+jwt", "", "172800", 401, 401),
        ("until the year 2200", "JWT", "", "5000000000", 401, 401),
        ("end as text", "at+jwt", "", "text", 401, 401),
        ("end beyond numbers", "at+jwt", "", "1e999", 401, 401),
        ("no end", "at+jwt", "", "", 401, 401),
        ("end twice", "at+jwt", ""","exp":9999999999 """, "300", 401, 401),
        ("subject twice", "at+jwt", ""","sub":"bob" """, "300", 401, 401),
    ];

    [Fact]
    [Trait("Conformance", "B4")]
    public async Task Only_access_tokens_for_whoever_holds_them_are_accepted()
    {
        await using var strict = await Provider.StartAsync();
        await using var lax = await Provider.StartAsync();
        await using var node = await backend.StartServerAsync(
            ("Identity:Issuers:0:Issuer", strict.Issuer),
            ("Identity:Issuers:0:Audience", "our-api"),
            ("Identity:Issuers:1:Issuer", lax.Issuer),
            ("Identity:Issuers:1:Audience", "our-api"),
            ("Identity:Issuers:1:AcceptsJwt", "true")
        );
        foreach (var (name, type, more, end, forStrict, forLax) in Signed)
        foreach (var (provider, expected) in new[] { (strict, forStrict), (lax, forLax) })
        {
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            var exp = end switch
            {
                "" => "",
                "text" => $"\"exp\":\"{now + 300}\",",
                "1e999" => "\"exp\":1e999,",
                _ => $"\"exp\":{now + long.Parse(end, System.Globalization.CultureInfo.InvariantCulture)},",
            };
            var token = provider.SignRaw(
                type is "" ? "" : $"\"typ\":\"{type}\",",
                $$"""{{{exp}}"iss":"{{provider.Issuer}}","aud":"our-api","sub":"alice"{{more}}}"""
            );
            var answer = await node.Guest().With(token).GetAsync("/api/v1/me");
            Assert.True(answer.Status == expected, $"{name}, for {(provider == lax ? "JWT" : "at+jwt")}: {answer}");
        }
    }

    [Fact]
    public async Task Unavailable_provider_affects_no_other_caller()
    {
        var provider = await Provider.StartAsync();
        var token = provider.Sign();
        await provider.DisposeAsync();
        await using var node = await backend.StartServerAsync(
            ("Identity:Issuers:0:Issuer", provider.Issuer),
            ("Identity:Issuers:0:Audience", "our-api")
        );
        var guest = node.Guest();
        Assert.Equal(401, (await guest.With(token).GetAsync("/api/v1/me")).Status);
        Assert.Equal(200, (await (await guest.LoginAsAdminAsync()).GetAsync("/api/v1/me")).Status);
    }

    [Fact]
    public async Task Forged_tokens_cause_few_requests_to_a_provider_that_works_or_fails()
    {
        await using var works = await Provider.StartAsync();
        await using var fails = await Provider.StartAsync();
        fails.Fails = true;
        await using var node = await backend.StartServerAsync(
            ("Identity:Issuers:0:Issuer", works.Issuer),
            ("Identity:Issuers:0:Audience", "our-api"),
            ("Identity:Issuers:1:Issuer", fails.Issuer),
            ("Identity:Issuers:1:Audience", "our-api")
        );
        var guest = node.Guest();
        using var stranger = RSA.Create(2048);
        foreach (var provider in new[] { works, fails })
        {
            var watch = System.Diagnostics.Stopwatch.StartNew();
            for (var i = 0; i < 100; i++)
                Assert.Equal(
                    401,
                    (
                        await guest
                            .With(provider.Sign(key: new RsaSecurityKey(stranger) { KeyId = $"forged {i}" }))
                            .GetAsync("/api/v1/me")
                    ).Status
                );
            // At first, and once in five seconds; discovery and keys.
            Assert.InRange(provider.Requests, 1, 2 * (2 + (int)(watch.Elapsed.TotalSeconds / 5)));
        }
        fails.Fails = false;
        await Eventually.HoldsAsync(
            async () => (await guest.With(fails.Sign()).GetAsync("/api/v1/me")).Status is 200,
            within: TimeSpan.FromSeconds(20)
        );
    }

    /// <summary>An identity provider with discovery, keys and tokens.</summary>
    sealed class Provider(WebApplication app) : IAsyncDisposable
    {
        RSA key = RSA.Create(2048);
        int requests;

        public string Issuer { get; private set; } = "";

        public string KeyId { get; private set; } = "k1";

        public byte[] PublicKey => key.ExportSubjectPublicKeyInfo();

        public int Requests => requests;

        public bool Fails { get; set; }

        public static async Task<Provider> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
            var app = builder.Build();
            var provider = new Provider(app);
            app.MapGet("/.well-known/openid-configuration", () =>
            {
                Interlocked.Increment(ref provider.requests);
                if (provider.Fails)
                    return Results.StatusCode(500);
                return Results.Json(new { issuer = provider.Issuer, jwks_uri = provider.Issuer + "/keys" });
            });
            app.MapGet("/keys", () =>
            {
                Interlocked.Increment(ref provider.requests);
                var parameters = provider.key.ExportParameters(false);
                return Results.Json(
                    new
                    {
                        keys = new[]
                        {
                            new
                            {
                                kty = "RSA",
                                use = "sig",
                                alg = "RS256",
                                kid = provider.KeyId,
                                n = Base64UrlEncoder.Encode(parameters.Modulus),
                                e = Base64UrlEncoder.Encode(parameters.Exponent),
                            },
                        },
                    }
                );
            });
            await app.StartAsync();
            provider.Issuer = app
                .Services.GetRequiredService<IServer>()
                .Features.Get<IServerAddressesFeature>()!
                .Addresses.First();
            return provider;
        }

        public void Rotate()
        {
            key = RSA.Create(2048);
            KeyId = "k2";
        }

        public string Sign(
            string subject = "alice",
            string audience = "our-api",
            string? issuer = null,
            string[]? groups = null,
            DateTime? expires = null,
            SecurityKey? key = null,
            string algorithm = SecurityAlgorithms.RsaSha256
        ) =>
            new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
                new SecurityTokenDescriptor
                {
                    TokenType = "at+jwt",
                    Issuer = issuer ?? Issuer,
                    Audience = audience,
                    Expires = expires ?? DateTime.UtcNow.AddMinutes(5),
                    SigningCredentials = new(key ?? new RsaSecurityKey(this.key) { KeyId = KeyId }, algorithm),
                    Claims = new Dictionary<string, object> { ["sub"] = subject, ["groups"] = groups ?? ["editors"] },
                }
            );

        /// <param name="type">The header's member with its comma, or nothing.</param>
        public string SignRaw(string type, string payload)
        {
            var signed = $"{Forge.Part($$"""{{{type}}"alg":"RS256","kid":"{{KeyId}}"}""")}.{Forge.Part(payload)}";
            var signature = key.SignData(
                System.Text.Encoding.ASCII.GetBytes(signed),
                HashAlgorithmName.SHA256,
                RSASignaturePadding.Pkcs1
            );
            return $"{signed}.{Base64UrlEncoder.Encode(signature)}";
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
