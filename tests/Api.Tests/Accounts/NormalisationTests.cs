using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Api.Tests;

/// <summary>Canonical composition, compared with PostgreSQL's.</summary>
[Trait("Conformance", "D7")]
public sealed class NormalisationTests(Backend backend)
{
    /// <summary>By the rules of no language: a Turkish dotless i is another letter.</summary>
    [Fact]
    public async Task Addresses_that_differ_by_form_or_case_alone_are_one()
    {
        var domain = $"{Guid.NewGuid():n}.example";
        Task<Answer> CreateAsync(string local) =>
            backend.Admin.PostAsync("/users", new { email = $"{local}@{domain}", password = Person.Password });
        Assert.Equal(201, (await CreateAsync("ren\u00e9e")).Status);
        foreach (var same in new[] { "rene\u0301e", "REN\u00c9E", "RENE\u0301E" })
        {
            Assert.Equal("ALREADY_EXISTS", (await CreateAsync(same)).Code);
            await backend.Guest.LoginAsync($"{same}@{domain}", Person.Password);
        }
        // Without the accent, with a letter of Cyrillic, and what capitals have in common in some language.
        foreach (var other in new[] { "renee", "r\u0435n\u00e9e", "xix", "x\u0131x", "xssx", "x\u00dfx" })
            Assert.Equal(201, (await CreateAsync(other)).Status);
        Assert.Equal("ALREADY_EXISTS", (await CreateAsync("XIX")).Code);
    }

    /// <summary>Earlier releases knew addresses as they were given.</summary>
    [Fact]
    public async Task Address_that_an_earlier_release_has_claimed_in_another_form_stays_its_account_s()
    {
        var directory = backend.Server.Services.GetRequiredService<AccountDirectory>();
        var key = backend.Server.Services.GetRequiredService<MasterKey>().Derive("e-mail addresses");
        await using var database = NpgsqlDataSource.Create(backend.Server.ConnectionString);
        foreach (var (claimed, other) in new[] { ("rene\u0301e", "ren\u00e9e"), ("ren\u00e9e", "rene\u0301e") })
        {
            var (account, domain) = (Guid.CreateVersion7(), $"@{Guid.NewGuid():n}.example");
            await using var command = database.CreateCommand(
                "insert into account_emails (digest, account) values ($1, $2)"
            );
            command.Parameters.Add(
                new() { Value = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(claimed + domain)) }
            );
            command.Parameters.Add(new() { Value = account });
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            foreach (var form in new[] { claimed, other, other.ToUpperInvariant() })
            {
                Assert.Equal(account, await directory.FindAsync(form + domain));
                Assert.Equal(account, await directory.ClaimAsync(form + domain, Guid.CreateVersion7()));
            }
            await directory.ReleaseAsync(account);
            Assert.Null(await directory.FindAsync(other + domain));
            var next = Guid.CreateVersion7();
            Assert.Equal(next, await directory.ClaimAsync(other + domain, next));
            Assert.Equal(next, await directory.FindAsync(claimed + domain));
        }
    }

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
