using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Names that look alike, or like nothing: each is kept as sent, and is another name.</summary>
[Trait("Conformance", "D7")]
public sealed class UnicodeNameTests(Backend backend)
{
    static readonly string[] Names =
    [
        "caf\u00e9",
        "cafe\u0301",
        "CAF\u00c9",
        "paypal",
        // Cyrillic letters in place of two Latin ones.
        "p\u0430yp\u0430l",
        "ab",
        "a\u200bb",
        "a\ufeffb",
        "a\u202eb",
        "a\u2066b\u2069",
        "ab\U000E0061\U000E007F",
        "I",
        "\u0131",
        "\u0130",
        "i\u0307",
        "\u00df",
        "ss",
        "\ufb01",
        "\U0001F468\u200D\U0001F469",
    ];

    [Fact]
    public async Task Name_is_kept_as_sent_and_equals_no_other()
    {
        var type = $"t{Guid.NewGuid():n}";
        foreach (var name in Names)
        {
            var made = await backend.Admin.PostAsync("/resources", new { name, type });
            Assert.Equal((201, name), (made.Status, made.Text("/data/name")));
        }
        var list = await backend.User.GetAsync($"/api/v1/resources?type={type}&limit=100&sort=createdAt");
        Assert.Equal(
            Names.Order(StringComparer.Ordinal),
            list.At("/data")!.Value.EnumerateArray().Select(NameOf).Order(StringComparer.Ordinal)
        );
        foreach (var name in Names)
        {
            var found = await backend.User.GetAsync(
                $"/api/v1/resources?type={type}&filter={Uri.EscapeDataString($"name = \"{name}\"")}"
            );
            Assert.Equal([name], found.At("/data")!.Value.EnumerateArray().Select(NameOf));
        }
    }

    static string NameOf(JsonElement resource) => resource.GetProperty("name").GetString()!;
}
