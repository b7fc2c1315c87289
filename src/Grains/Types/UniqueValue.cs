using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>
/// What unique values are compared by: a hash of the canonical form of all members of a rule. Texts are compared in their
/// composed form, numbers as numbers.
/// </summary>
public static class UniqueValue
{
    /// <summary>The value of members, in the order of the rule; null where one of them can have no unique value.</summary>
    public static byte[]? Of(UniqueRule rule, IEnumerable<JsonElement?> members)
    {
        var form = new ArrayBufferWriter<byte>();
        foreach (var member in members)
        {
            var (kind, text) = member is { } value ? Canonical(value, rule.IgnoreCase) : default;
            if (text is null)
                return null;
            // The length keeps the members apart.
            var bytes = Encoding.UTF8.GetBytes(text);
            form.Write(Encoding.ASCII.GetBytes($"{kind}{bytes.Length}:"));
            form.Write(bytes);
        }
        return SHA256.HashData(form.WrittenSpan);
    }

    static (char Kind, string? Text) Canonical(JsonElement value, bool ignoreCase) =>
        value.ValueKind switch
        {
            JsonValueKind.String => (
                's',
                ignoreCase ? UnicodeForms.Fold(value.GetString()!) : UnicodeForms.Compose(value.GetString()!)
            ),
            JsonValueKind.Number => ('n', JsonNumber.Canonical(JsonMarshal.GetRawUtf8Value(value))),
            JsonValueKind.True => ('b', "true"),
            JsonValueKind.False => ('b', "false"),
            _ => default,
        };
}
