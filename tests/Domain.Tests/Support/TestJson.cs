using System.Text;
using System.Text.Json;
using CsCheck;

namespace Resources.Domain.Tests;

/// <summary>Short ways to write JSON in tests, and a generator of JSON values as text.</summary>
internal static class TestJson
{
    static readonly Gen<string> Scalar = Gen.OneOf(
        Gen.Const("null"),
        Gen.Const("true"),
        Gen.Const("false"),
        Gen.Int.Select(number => number.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        Gen.OneOf("0", "-1.5", "1.10", "1e300", "9007199254740993", "12345678901234567890.12345678"),
        Gen.OneOf("", "a", "é", "𝄞", "~/", "\"\\\n").Select(text => JsonSerializer.Serialize(text))
    );

    static readonly Gen<string> Name = Gen.OneOf("a", "b", "c", "", "~", "/", "0", "é");

    /// <summary>Values up to four levels deep.</summary>
    public static readonly Gen<string> Value = OfDepth(3);

    /// <summary>Objects up to four levels deep.</summary>
    public static readonly Gen<string> Object = ObjectOf(OfDepth(2));

    public static JsonElement Parse(string json) => JsonElement.Parse(json);

    public static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static bool Same(JsonElement left, JsonElement right) => JsonElement.DeepEquals(left, right);

    /// <summary>Faults as "pointer CODE", in order.</summary>
    public static string Summary(IEnumerable<Resources.Grains.Fault> faults) =>
        string.Join("; ", faults.Select(fault => $"{fault.Pointer} {fault.Code}"));

    static Gen<string> OfDepth(int depth) =>
        depth == 0
            ? Scalar
            : Gen.Frequency(
                (2, Scalar),
                (2, ObjectOf(OfDepth(depth - 1))),
                (1, OfDepth(depth - 1).Array[0, 3].Select(items => $"[{string.Join(", ", items)}]"))
            );

    static Gen<string> ObjectOf(Gen<string> value) =>
        Gen.Select(Name, value)
            .Array[0, 4]
            .Select(members =>
            {
                var texts = members
                    .DistinctBy(member => member.Item1)
                    .Select(member => $"{JsonSerializer.Serialize(member.Item1)}: {member.Item2}");
                return $"{{{string.Join(", ", texts)}}}";
            });
}
