using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// The Idempotency-Key of a request and what follows from it: the command's id, and the id of a resource that a create
/// makes.
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
        if (key.Length is >= 1 and <= 255 && key.All(c => c is >= ' ' and <= '~'))
            return key;
        faults.Add(
            new(
                "header:" + Header,
                "INVALID_KEY",
                "Idempotency-Key takes one key of 1 to 255 printable ASCII characters."
            )
        );
        return null;
    }

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

    /// <summary>
    /// A command's id and intent. With a key they are the same for every repetition by the same caller.
    /// </summary>
    public static Intent Intend(
        HttpContext context,
        string caller,
        string? key,
        Conditions conditions,
        ReadOnlySpan<byte> body
    ) =>
        new(
            key is null ? Guid.CreateVersion7() : DerivedId.Of("command", caller, key),
            caller,
            Activity.Current?.TraceId.ToHexString(),
            key is null ? null : Fingerprint(context.Request, body),
            conditions,
            Session: Caller.Of(context.User)?.Credential,
            Address: context.Connection.RemoteIpAddress?.ToString()
        );

    /// <summary>The id of the resource that a create with this key makes.</summary>
    public static Guid ResourceId(string caller, string? key) =>
        key is null ? Guid.CreateVersion7() : DerivedId.Of("resource", caller, key);

    /// <summary>What was asked: method, path, media type and body.</summary>
    static string Fingerprint(HttpRequest request, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method}\n{request.Path}\n{request.ContentType}\n"));
        hash.AppendData(body);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
