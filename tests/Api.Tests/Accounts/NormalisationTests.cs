using System.Globalization;
using System.Text;
using Npgsql;
using Resources.Grains;

namespace Resources.Api.Tests;

/// <summary>Canonical composition, compared with PostgreSQL's.</summary>
[Trait("Conformance", "D7")]
public sealed class NormalisationTests(Backend backend)
{
    /// <summary>Every character of the table, and others that compose by a rule or not at all.</summary>
    static Rune[] Characters()
    {
        using var table = new StreamReader(typeof(UnicodeForms).Assembly.GetManifestResourceStream("unicode-nfc.txt")!);
        var listed = table
            .ReadToEnd()
            .Split('\n')
            .Where(line => line is not "" && line[0] is not '#')
            .SelectMany(line =>
                line.Contains(':', StringComparison.Ordinal) ? line.Split(':')[0].Split('-') : line.Split('=', '>', ' ')
            )
            .Select(number => int.Parse(number, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        return
        [
            .. Enumerable
                .Range('a', 26)
                .Concat(Enumerable.Range(0xC0, 0x290))
                .Concat(Enumerable.Range(0x1100, 0x100))
                .Concat(Enumerable.Range(0xAC00, 120))
                .Concat(listed)
                .Distinct()
                .Select(c => new Rune(c)),
        ];
    }

    [Fact]
    [Trait("Conformance", "A4")]
    public async Task Normalisation_agrees_with_Unicode()
    {
        var characters = Characters();
        var random = new Random(20261125);
        Assert.True(characters.Length > 3_000);
        string[] marks = [.. "\u0301\u0323\u0307\u0308\u0345\u093C\u09BE\u3099\u1161\u11A8".Select(c => c.ToString())];
        string[] texts =
        [
            .. characters.Select(c => c.ToString()),
            .. characters.SelectMany(c => marks.Select(mark => c + mark)),
            .. Enumerable
                .Range(0, 20_000)
                .Select(_ =>
                    string.Concat(
                        Enumerable
                            .Range(0, random.Next(2, 7))
                            .Select(_ =>
                                random.Next(3) is 0
                                    ? marks[random.Next(marks.Length)]
                                    : characters[random.Next(characters.Length)].ToString()
                            )
                    )
                ),
        ];
        await using var database = NpgsqlDataSource.Create(backend.Server.ConnectionString);
        await using var command = database.CreateCommand(
            "select normalize(t, NFC), normalize(t, NFD) from unnest($1) with ordinality as u(t, n) order by n"
        );
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = texts });
        await using var row = await command.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        foreach (var text in texts)
        {
            Assert.True(await row.ReadAsync(TestContext.Current.CancellationToken));
            Assert.Equal(
                (row.GetString(0), row.GetString(0)),
                (UnicodeForms.Compose(text), UnicodeForms.Compose(row.GetString(1)))
            );
        }
    }
}
