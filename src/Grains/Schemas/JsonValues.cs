using System.Runtime.InteropServices;
using System.Text.Json;

namespace Resources.Grains;

/// <summary>Compares JSON values as what they denote, in any order of members and any spelling.</summary>
/// <param name="spend">Is told the size of each comparison and says whether to go on; null for no bound.</param>
internal sealed class JsonValues(Func<int, bool>? spend = null) : IEqualityComparer<JsonElement>
{
    /// <summary>Compares without a bound.</summary>
    public static readonly JsonValues Instance = new();

    /// <inheritdoc/>
    public bool Equals(JsonElement x, JsonElement y) =>
        (spend is null || spend(Math.Min(Size(x), Size(y)))) && AreEqual(x, y);

    /// <summary>Whether two values are equal.</summary>
    public static bool AreEqual(JsonElement x, JsonElement y) =>
        x.ValueKind is JsonValueKind.String && y.ValueKind is JsonValueKind.String
            ? JsonStrings.Of(x).SequenceEqual(JsonStrings.Of(y))
            : JsonElement.DeepEquals(x, y);

    /// <inheritdoc/>
    public int GetHashCode(JsonElement obj)
    {
        var hash = new HashCode();
        hash.Add((int)obj.ValueKind);
        switch (obj.ValueKind)
        {
            case JsonValueKind.Number:
                JsonNumber.AddTo(ref hash, JsonMarshal.GetRawUtf8Value(obj));
                break;
            case JsonValueKind.String:
                JsonStrings.AddTo(ref hash, obj);
                break;
            case JsonValueKind.Array:
                foreach (var item in obj.EnumerateArray())
                    hash.Add(GetHashCode(item));
                break;
            case JsonValueKind.Object:
                var members = 0;
                foreach (var member in obj.EnumerateObject())
                    members += HashCode.Combine(member.Name, GetHashCode(member.Value));
                hash.Add(members);
                break;
        }
        return hash.ToHashCode();
    }

    /// <summary>The size of a value in bytes.</summary>
    public static int Size(JsonElement value) => JsonMarshal.GetRawUtf8Value(value).Length;
}
