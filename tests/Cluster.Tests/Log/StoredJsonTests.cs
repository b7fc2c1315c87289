using System.Globalization;
using System.Text;
using System.Text.Json;
using Npgsql;
using Resources.Grains;

namespace Resources.Cluster.Tests;

/// <summary>Documents in memory are spelled as they come back from the store.</summary>
public sealed class StoredJsonTests(TestPostgres postgres) : IAsyncLifetime
{
    NpgsqlDataSource database = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Theory]
    [InlineData("""{"zebra":1,"a":2,"big":1e2,"neg":-0.0,"e":1.10e1,"s":"\u00e9\/"}""")]
    [InlineData("""{"bb":1,"a":{"d":[1.50,{"zz":null,"z":true}]},"é":"\u0001\u007f\t\"\\"}""")]
    [InlineData("""{"n":[1E-7,12.5e-3,0.00e5,-0,-0.00,1e28,1e300,1.5e-300,100,0.10e1,7e0,120E-1,-1.5E+3]}""")]
    [InlineData("""{"\u0062":1,"a\n":2,"":3}""")]
    public async Task Document_is_spelled_as_the_store_will(string sent)
    {
        var text = JsonText.From(JsonElement.Parse(sent));

        Assert.Equal(await StoreAsync(sent), text.ToString());
        Assert.Equal(text.ToString(), JsonText.From(text.ToElement()).ToString());
    }

    [Fact]
    public async Task Random_documents_are_spelled_as_the_store_will()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        for (var i = 0; i < 500; i++)
        {
            var sent = Object(random, 3);
            var stored = await StoreAsync(sent);
            Assert.True(
                stored == JsonText.From(JsonElement.Parse(sent)).ToString(),
                $"seed {seed}: {sent} is {stored}"
            );
        }
    }

    async Task<string> StoreAsync(string json)
    {
        await using var command = database.CreateCommand("select ($1::jsonb)::text");
        command.Parameters.Add(new() { Value = json });
        return JsonText
            .Stored(Encoding.UTF8.GetBytes((string)(await command.ExecuteScalarAsync(Cancelled))!))
            .ToString();
    }

    static string Object(Random random, int depth)
    {
        var names = Enumerable
            .Range(0, random.Next(5))
            .Select(_ => Text(random))
            .DistinctBy(name => JsonSerializer.Deserialize<string>(name));
        return "{" + string.Join(" , ", names.Select(name => $"{name} : {Value(random, depth)}")) + "}";
    }

    static string Value(Random random, int depth) =>
        random.Next(depth > 0 ? 7 : 5) switch
        {
            0 => "null",
            1 => random.Next(2) is 0 ? "true" : "false",
            2 => Text(random),
            3 or 4 => Number(random),
            5 => Object(random, depth - 1),
            _ => "["
                + string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => Value(random, depth - 1)))
                + "]",
        };

    static string Text(Random random)
    {
        string[] parts = ["a", "b", "zz", "é", "\\n", "\\u0007", "\\\"", "\\/", "😀", "\\ud83d\\ude00", " ", "\u007f"];
        return '"'
            + string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => parts[random.Next(parts.Length)]))
            + '"';
    }

    static string Number(Random random)
    {
        var number = new StringBuilder(random.Next(2) is 0 ? "-" : "");
        number.Append(random.Next(3) is 0 ? "0" : random.Next(1, 100_000).ToString(CultureInfo.InvariantCulture));
        if (random.Next(2) is 0)
            number.Append('.').Append(random.Next(1_000).ToString("D3", CultureInfo.InvariantCulture));
        if (random.Next(2) is 0)
            number.Append(random.Next(2) is 0 ? 'e' : 'E').Append(random.Next(-20, 40));
        return number.ToString();
    }
}
