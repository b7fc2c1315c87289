using System.Text;
using System.Text.Json;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Resources.Grains;

namespace Resources.Domain.Tests;

public class JsonTextTests
{
    static readonly JsonSerializerOptions SmallPieces = new() { DefaultBufferSize = 16 };

    sealed record Changed(string Name, JsonText? Metadata);

    [Theory]
    [InlineData("""{"a":1,"b":[1,2]}""", """{ "b": [1.0, 2e0], "a": 1 }""", true)]
    [InlineData("""{"a":"\u00e9\/"}""", """{"a":"é/"}""", true)]
    [InlineData("""{"a":-0}""", """{"a":0}""", true)]
    [InlineData("""{"a":0.1}""", """{"a":0.10000000000000000001}""", false)]
    [InlineData("""{"a":9007199254740993}""", """{"a":9007199254740992}""", false)]
    [InlineData("""{"a":[1,2]}""", """{"a":[2,1]}""", false)]
    [InlineData("""{"a":null}""", "{}", false)]
    [InlineData("""{"a":"1"}""", """{"a":1}""", false)]
    public void Equality_is_that_of_the_JSON_values(string left, string right, bool equal)
    {
        var a = Text(left);
        var b = Text(right);
        Assert.Equal(equal, a.Equals(b));
        Assert.Equal(equal, b.Equals(a));
        if (equal)
            Assert.Equal(a.GetHashCode(), b.GetHashCode());
    }

    [Fact]
    public void White_space_is_removed_and_strings_are_spelled_as_the_store_will() =>
        Assert.Equal(
            """{"a b":[" \" { \\","é",1.10,true]}""",
            Text("""{ "a b" : [ " \" { \\" , "\u00e9" , 1.10 , true ] }""").ToString()
        );

    [Fact]
    public void Only_an_object_is_accepted()
    {
        Assert.Throws<ArgumentException>(() => Text("[1]"));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Changed>("""{"Name":"n","Metadata":[1]}"""));
    }

    [Fact]
    public void Member_of_an_event_is_a_nested_object()
    {
        var changed = new Changed("n", Text("""{"price":1.10,"é":"𝄞"}"""));
        var json = JsonSerializer.Serialize(changed);
        Assert.Equal("""{"Name":"n","Metadata":{"é":"𝄞","price":1.10}}""", json);
        Assert.Equal(changed, JsonSerializer.Deserialize<Changed>(json));
        Assert.Null(JsonSerializer.Deserialize<Changed>("""{"Name":"n","Metadata":null}""")!.Metadata);
    }

    [Fact]
    [Trait("Conformance", "D5")]
    public void Large_number_read_from_the_store_has_its_short_form() =>
        Assert.Equal(
            """{"n":1e300}""",
            JsonSerializer
                .Deserialize<Changed>($"{{\"Name\":\"n\",\"Metadata\":{{\"n\": 1{new string('0', 300)}}}}}")!
                .Metadata!.ToString()
        );

    [Fact]
    public async Task JSON_text_is_read_from_a_stream_in_small_pieces()
    {
        var json = $"{{\"Name\":\"n\",\"Metadata\":{{\"text\":\"{new string('x', 100_000)}\"}}}}";
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        var changed = await JsonSerializer.DeserializeAsync<Changed>(
            stream,
            SmallPieces,
            TestContext.Current.CancellationToken
        );
        Assert.Equal(json, JsonSerializer.Serialize(changed));
    }

    [Fact]
    public void Any_object_keeps_its_value() =>
        TestJson.Object.Sample(json =>
        {
            var text = Text(json);
            return TestJson.Same(TestJson.Parse(json), text.ToElement())
                && text.Equals(JsonSerializer.Deserialize<JsonText>(JsonSerializer.Serialize(text)))
                && text.Utf8.Length <= Encoding.UTF8.GetByteCount(json);
        });

    [Fact]
    public void JSON_text_and_faults_can_be_sent_between_grains()
    {
        using var services = new ServiceCollection()
            .AddSerializer(builder => builder.AddAssembly(typeof(JsonText).Assembly))
            .BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();
        var text = Text("""{"a":1.10}""");
        Assert.Equal(text.ToString(), serializer.Deserialize<JsonText>(serializer.SerializeToArray(text))?.ToString());
        var fault = new Fault("/a", FaultCode.Required, "The member is required.");
        Assert.Equal(fault, serializer.Deserialize<Fault>(serializer.SerializeToArray(fault)));
    }

    static JsonText Text(string json) => JsonText.From(TestJson.Parse(json));
}
