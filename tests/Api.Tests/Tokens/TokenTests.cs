using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;

namespace Resources.Api.Tests;

/// <summary>Forged and damaged tokens: each gets a plain 401.</summary>
public sealed class TokenTests(Backend backend)
{
    static readonly Dictionary<string, Func<Forge, string>> Forgeries = new()
    {
        ["algorithm none"] = forge => $"{Forge.Part(forge.Header("alg", "none"))}.{forge.Payload}.",
        ["algorithm none, with a signature"] = forge =>
            $"{Forge.Part(forge.Header("alg", "none"))}.{forge.Payload}.{forge.Signature}",
        ["HS256 with the public key"] = forge => forge.Hmac(forge.PublicKey),
        ["HS256 with the public key as PEM"] = forge =>
            forge.Hmac(System.Text.Encoding.ASCII.GetBytes(forge.Key.ExportSubjectPublicKeyInfoPem())),
        ["another type"] = forge => forge.Sign(type: "JWT"),
        ["no type"] = forge => forge.Sign(type: ""),
        ["expired"] = forge => forge.Sign(expires: DateTime.UtcNow.AddMinutes(-5)),
        ["not yet valid"] = forge =>
            forge.Sign(notBefore: DateTime.UtcNow.AddMinutes(5), expires: DateTime.UtcNow.AddMinutes(10)),
        ["without an end"] = forge => forge.Sign(expires: DateTime.MaxValue),
        ["another issuer"] = forge => forge.Sign(issuer: "others"),
        ["another audience"] = forge => forge.Sign(audience: "others"),
        ["another key by the same name"] = forge =>
            forge.Sign(key: new(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = forge.KeyId }),
        ["a key we do not have"] = forge => forge.Sign(key: new(forge.Key) { KeyId = "none" }),
        ["no signature"] = forge => forge.Token[..(forge.Token.LastIndexOf('.') + 1)],
        ["another signature"] = forge => forge.Token[..^6] + (forge.Token[^6] is 'A' ? "B" : "A") + forge.Token[^5..],
        ["another payload"] = forge => $"{forge.Token.Split('.')[0]}.{Forge.Part("""{"sub":"x"}""")}.{forge.Signature}",
        ["five parts"] = forge => forge.Token + ".a.b",
        ["garbage"] = _ => "garbage",
        ["dots"] = _ => "..",
        ["nothing"] = _ => "",
        ["a large one"] = _ => new('a', 8000),
    };

    public static TheoryData<string> Names => [.. Forgeries.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task Forged_token_is_refused(string name)
    {
        var token = Forgeries[name](new Forge(backend));
        var answer = await backend.Guest.GetAsync("/api/v1/me", ("Authorization", "Bearer " + token));
        Assert.Equal((401, "UNAUTHENTICATED"), (answer.Status, answer.Code));
    }

    [Theory, MemberData(nameof(Names))]
    public async Task Forged_token_opens_no_socket(string name)
    {
        var token = Forgeries[name](new Forge(backend));
        await using var socket = await Socket.OpenAsync(backend.Server.Address, null, "after=0");
        await socket.AuthenticateAsync(token);
        Assert.Null(await socket.NextAsync());
        Assert.Equal(token is "" ? (4400, "VALIDATION_FAILED") : (4401, "UNAUTHENTICATED"), socket.Closed);

        await using var another = await Socket.OpenAsync(backend.Server.Address, token, "after=0");
        Assert.Equal(401, another.Status);
    }

    [Theory, InlineData("Basic YWRtaW46YWRtaW4="), InlineData("Bearer"), InlineData("Token x")]
    public async Task Other_schemes_are_refused(string header) =>
        Assert.Equal(401, (await backend.Guest.GetAsync("/api/v1/me", ("Authorization", header))).Status);

    [Fact]
    public async Task Token_signed_like_the_servers_is_accepted() =>
        Assert.Equal(
            200,
            (
                await backend.Guest.GetAsync("/api/v1/me", ("Authorization", "Bearer " + new Forge(backend).Sign()))
            ).Status
        );

    [Fact]
    [Trait("Conformance", "B16")]
    public async Task Token_in_the_URL_does_not_authenticate() =>
        Assert.Equal(401, (await backend.Guest.GetAsync("/api/v1/me?access_token=" + backend.Admin.Token)).Status);
}
