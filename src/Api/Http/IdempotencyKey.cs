using System.Security.Cryptography;
using System.Text;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Api;

/// <summary>
/// The Idempotency-Key of a request, and how the request sends its command.
/// </summary>
public static class IdempotencyKey
{
    const string Header = "Idempotency-Key";

    /// <summary>Reads the key, quoted (a structured field) or bare; null when there is none.</summary>
    public static string? Read(HttpRequest request, List<Fault> faults)
    {
        if (!request.Headers.TryGetValue(Header, out var header))
            return null;
        var key = header.Count is 1 ? header[0]! : "";
        if (key is ['"', ..])
            key = Unquote(key);
        if (IsValid(key))
            return key;
        faults.Add(new("header:" + Header, "INVALID_KEY", Form));
        return null;
    }

    /// <summary>What a client is told whose key is not valid.</summary>
    public const string Form = "Idempotency-Key takes one key of 1 to 255 printable ASCII characters.";

    /// <summary>Whether a text can be a key.</summary>
    public static bool IsValid(string key) => key.Length is >= 1 and <= 255 && key.All(c => c is >= ' ' and <= '~');

    /// <summary>The text of a structured field's string (RFC 9651); empty when it is not one.</summary>
    static string Unquote(string field)
    {
        var text = new StringBuilder(field.Length);
        for (var i = 1; i < field.Length; i++)
            switch (field[i])
            {
                case '"':
                    return i == field.Length - 1 ? text.ToString() : "";
                case '\\' when i + 1 < field.Length && field[i + 1] is '"' or '\\':
                    text.Append(field[++i]);
                    break;
                case '\\':
                    return "";
                case var c:
                    text.Append(c);
                    break;
            }
        return "";
    }

    /// <summary>Reads the key and the preconditions of a command; null when one of them is faulty.</summary>
    public static Attempt? ReadAttempt(HttpContext context, ReadOnlySpan<byte> body, List<Fault> faults)
    {
        var before = faults.Count;
        var key = Read(context.Request, faults);
        var conditions = EntityTags.Read(context.Request, faults);
        return faults.Count == before ? AttemptOf(context, key, conditions, body) : null;
    }

    /// <summary>How a request sends a command.</summary>
    public static Attempt AttemptOf(HttpContext context, string? key, Conditions conditions, ReadOnlySpan<byte> body) =>
        new(
            key,
            key is null ? null : Fingerprint(context.Request, body),
            conditions,
            context.Connection.RemoteIpAddress?.ToString()
        );

    /// <summary>What was asked: method, path, media type and body.</summary>
    static string Fingerprint(HttpRequest request, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method}\n{request.Path}\n{request.ContentType}\n"));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
