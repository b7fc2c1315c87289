using System.Security.Cryptography;
using System.Text;
using Resources.Grains;

namespace Resources.Api;

/// <summary>The weak entity tag of a list of types: it changes when one of them does.</summary>
static class TypeListTag
{
    public static string Of(IEnumerable<TypeRules> types)
    {
        var versions = string.Join(',', types.Select(type => $"{type.Name}:{type.Head}"));
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(versions));
        return $"W/\"{Convert.ToHexStringLower(hash.AsSpan(0, 16))}\"";
    }
}
