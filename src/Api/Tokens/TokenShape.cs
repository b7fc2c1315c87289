using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Resources.Api;

/// <summary>What makes a signed JWT an access token for this server, beyond what the library checks.</summary>
static class TokenShape
{
    const string AccessToken = "at+jwt";

    static readonly JsonDocumentOptions Once = new() { AllowDuplicateProperties = false };

    /// <summary>Members of tokens that are for a client, or tell of events: as access tokens they were stolen.</summary>
    static readonly string[] OfOtherTokens = ["nonce", "at_hash", "c_hash", "events"];

    /// <summary>
    /// Whether a token of ours is plain. Rejects what the library accepts: a string as a time, and repeated members, of
    /// which it keeps the last.
    /// </summary>
    public static bool IsPlain(JsonWebToken token)
    {
        using var payload = Payload(token);
        return payload is not null && Ends(payload.RootElement) is not null;
    }

    /// <summary>
    /// Whether a token of another issuer is an access token (RFC 9068) for whoever holds it, and ends soon enough.
    /// </summary>
    public static bool IsAccessToken(JsonWebToken token, ExternalIssuer issuer, DateTimeOffset now)
    {
        using var payload = Payload(token);
        if (payload is null)
            return false;
        var members = payload.RootElement;
        return Ends(members) <= now.AddMinutes(issuer.MaxMinutes).ToUnixTimeSeconds()
            // Bound to a key whose proof nobody asks for here.
            && !members.TryGetProperty("cnf", out _)
            && (
                IsType(token, AccessToken)
                || issuer.AcceptsJwt
                    && IsType(token, "JWT")
                    && !OfOtherTokens.Any(name => members.TryGetProperty(name, out _))
            );
    }

    /// <summary>The prefix of media types may be left out, and their case does not matter (RFC 7515, 4.1.9).</summary>
    static bool IsType(JsonWebToken token, string type) =>
        type.Equals(token.Typ, StringComparison.OrdinalIgnoreCase)
        || $"application/{type}".Equals(token.Typ, StringComparison.OrdinalIgnoreCase);

    /// <summary>Seconds since 1970, if the token says so as a number; null else.</summary>
    static double? Ends(JsonElement members) =>
        members.TryGetProperty("exp", out var exp) && exp.ValueKind is JsonValueKind.Number ? exp.GetDouble() : null;

    /// <summary>The payload; null when a member of it, or of the header, is repeated.</summary>
    static JsonDocument? Payload(JsonWebToken token)
    {
        try
        {
            using var header = JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedHeader), Once);
            return JsonDocument.Parse(Base64UrlEncoder.DecodeBytes(token.EncodedPayload), Once);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
