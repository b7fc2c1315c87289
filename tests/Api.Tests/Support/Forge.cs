using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Resources.Api.Tests;

/// <summary>Signs tokens with the server's own key. Each is wrong in one way.</summary>
sealed class Forge
{
    readonly ECDsaSecurityKey own;

    public Forge(Backend backend)
        : this(backend.Server, backend.Admin.Token!) { }

    public Forge(InProcessServer node, string token)
    {
        own = node.Services.GetRequiredService<SigningKeys>().All[0].Key;
        Token = token;
    }

    public string Token { get; }

    public ECDsa Key => own.ECDsa;

    public string KeyId => own.KeyId;

    public byte[] PublicKey => Key.ExportSubjectPublicKeyInfo();

    public string Payload => Token.Split('.')[1];

    public string Signature => Token.Split('.')[2];

    public string Header(string member, string value) =>
        $$"""{"typ":"at+jwt","kid":"{{KeyId}}","{{member}}":"{{value}}"}""";

    public string Hmac(byte[] secret)
    {
        var signed = $"{Part(Header("alg", "HS256"))}.{Payload}";
        return $"{signed}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(secret, System.Text.Encoding.ASCII.GetBytes(signed)))}";
    }

    public string Sign(
        string type = "at+jwt",
        string issuer = "resources",
        string audience = "resources",
        DateTime? notBefore = null,
        DateTime? expires = null,
        ECDsaSecurityKey? key = null,
        string? account = null
    ) =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            new SecurityTokenDescriptor
            {
                TokenType = type,
                Issuer = issuer,
                Audience = audience,
                NotBefore = notBefore,
                Expires = expires == DateTime.MaxValue ? null : expires ?? DateTime.UtcNow.AddMinutes(5),
                SigningCredentials = new(key ?? own, SecurityAlgorithms.EcdsaSha256),
                Claims = new Dictionary<string, object>
                {
                    ["sub"] = account ?? Guid.Empty.ToString(),
                    ["sid"] = Guid.NewGuid().ToString(),
                    ["ver"] = 1L,
                    ["auth_time"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds(),
                    ["roles"] = new[] { "admin" },
                },
            }
        );

    /// <summary>The token as if its owner had authenticated so long ago.</summary>
    public string Age(TimeSpan ago) =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            new SecurityTokenDescriptor
            {
                TokenType = "at+jwt",
                SigningCredentials = new(own, SecurityAlgorithms.EcdsaSha256),
                Claims = JsonSerializer
                    .Deserialize<Dictionary<string, object>>(Base64UrlEncoder.Decode(Payload))!
                    .ToDictionary(
                        claim => claim.Key,
                        claim =>
                            claim.Key is "auth_time" ? DateTimeOffset.UtcNow.Add(-ago).ToUnixTimeSeconds() : claim.Value
                    ),
            }
        );

    public static string Part(string json) => Base64UrlEncoder.Encode(json);
}
