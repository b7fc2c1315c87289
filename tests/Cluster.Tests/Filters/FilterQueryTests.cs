using System.Text.Json;
using Npgsql;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Cluster.Tests;

/// <summary>Filters in PostgreSQL, compared with a plain evaluation over the resources.</summary>
public sealed class FilterQueryTests(TestPostgres postgres) : IAsyncLifetime
{
    const int Resources = 400;
    const int Filters = 3_000;

    NpgsqlDataSource database = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await ExecuteAsync(
            """
            create table resource_views (id uuid primary key, type text collate "C" not null, name text collate "C" not null, status text collate "C" not null,
                metadata jsonb not null, owner text collate "C" not null, version bigint not null, created_at timestamptz not null, created_by text collate "C" not null,
                updated_at timestamptz not null, updated_by text collate "C" not null, deleted_at timestamptz, words tsvector not null);
            create index by_metadata on resource_views using gin (metadata jsonb_path_ops);
            create index by_words on resource_views using gin (words);
            create table resource_words (word text collate "C" primary key);
            """
        );
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    /// <summary>Null means a new seed, which a failure reports.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(null)]
    public async Task Random_filters_match_a_plain_evaluation(int? fixedSeed)
    {
        var seed = fixedSeed ?? Random.Shared.Next();
        var generator = new FilterGenerator(seed);
        var writer = new FilterWriter(generator.Random);
        var resources = Enumerable
            .Range(0, Resources)
            .Select(_ => generator.Resource())
            .ToDictionary(resource => resource.GetProperty("id").GetGuid());
        foreach (var resource in resources.Values)
            await InsertAsync(resource);
        await FillLexiconAsync();
        await using var scanning = await database.OpenConnectionAsync(Cancelled);
        await using var indexed = await OpenWithoutScansAsync();

        var failures = new List<string>();
        var telling = 0;
        for (var i = 0; i < Filters; i++)
        {
            var model = generator.Filter(i % 4);
            var text = writer.Write(model);
            var faults = new List<FilterFault>();
            if (FilterParser.Parse(text, faults) is not { } filter)
            {
                failures.Add($"{text}\n  is refused: {string.Join(' ', faults)}");
                continue;
            }
            var expected = resources
                .Where(resource => model.Matches(resource.Value))
                .Select(resource => resource.Key)
                .ToHashSet();
            if (expected.Count is > 0 and < Resources)
                telling++;
            var found = await FindAsync(generator.Random.Next(2) is 0 ? scanning : indexed, filter);
            if (found.SetEquals(expected))
                continue;
            var odd = found.Except(expected).Concat(expected.Except(found)).First();
            failures.Add(
                $"{text}\n  is {Write(filter)}\n  {(found.Contains(odd) ? "finds" : "misses")} {resources[odd]}"
            );
        }

        Assert.True(
            failures is [],
            $"Seed {seed}, {failures.Count} failures. The shortest: {failures.MinBy(failure => failure.Length)}"
        );
        Assert.True(telling > Filters / 2, $"Seed {seed}: only {telling} filters told resources apart.");
    }

    [Fact]
    [Trait("Conformance", "D10")]
    public async Task Only_a_wildcard_matches_any_run_of_characters()
    {
        string[] pieces = ["", "x", "y", ".", "%", "_", "\\", "\n", "[", "é"];
        string[] texts = ["", .. from a in pieces from b in pieces from c in pieces.Take(3) select a + b + c];
        var resources = texts.Distinct().ToDictionary(_ => Guid.NewGuid(), text => text);
        foreach (var (id, text) in resources)
            await ExecuteAsync(
                """
                insert into resource_views values ($1, 'book', $2, 'active', jsonb_build_object('a', $2), '', 1, now(), '', now(), '', null, '')
                """,
                id,
                text
            );
        await using var connection = await database.OpenConnectionAsync(Cancelled);
        var patterns = (from a in pieces from b in pieces select (string[])[a, b]).Concat(
            from a in pieces.Take(3)
            from b in pieces
            from c in pieces.Take(3)
            select (string[])[a, b, c]
        );

        foreach (var pattern in patterns)
        {
            var escaped = new FilterValue.Text(
                string.Join('*', pattern.Select(piece => FilterValue.Text.Of(piece).Pattern))
            );
            var expected = resources
                .Where(resource => FilterModel.Like(resource.Value, pattern))
                .Select(resource => resource.Key)
                .ToHashSet();
            foreach (
                var filter in (Filter[])
                    [
                        new Filter.Field(ResourceField.Name, Comparator.Equal, escaped),
                        new Filter.Metadata("/a", Comparator.Equal, escaped),
                    ]
            )
                Assert.True(expected.SetEquals(await FindAsync(connection, filter)), Write(filter));
        }
    }

    /// <summary>Prefixes of as many words as the limit, of more, and of none.</summary>
    [Fact]
    public async Task Prefix_finds_every_matching_word()
    {
        static string Many(string beginning, int count) =>
            string.Join(' ', Enumerable.Range(100, count).Select(i => $"{beginning}{i}"));
        var resources = new[]
        {
            "few",
            "more",
            "other " + Many("few", Lexicon.MaxWords - 1),
            "other " + Many("more", Lexicon.MaxWords),
            "few 'quoted' more",
        }.ToDictionary(_ => Guid.NewGuid(), name => name);
        foreach (var (id, name) in resources)
            await ExecuteAsync(
                """
                insert into resource_views values ($1, 'book', $2, 'active', '{}', '', 1, now(), '', now(), '', null, $3::tsvector)
                """,
                id,
                name,
                $"{SearchVector.OfName(name)} {SearchVector.OfMetadata(JsonText.Empty)}"
            );
        await FillLexiconAsync();
        await using var connection = await database.OpenConnectionAsync(Cancelled);

        await using (var transaction = await connection.BeginTransactionAsync(Cancelled))
        {
            var lexicon = await Lexicon.ReadAsync(transaction, ["few", "more", "no"], Cancelled);
            Assert.Equal(
                (Lexicon.MaxWords, null, 0, null),
                (
                    lexicon.WordsFrom("few")!.Length,
                    lexicon.WordsFrom("more"),
                    lexicon.WordsFrom("no")!.Length,
                    lexicon.WordsFrom("unasked")
                )
            );
        }
        foreach (
            var (text, expected) in new[]
            {
                ("few oth", 1),
                ("more oth", 1),
                ("few more", 1),
                ("few no", 0),
                ("few OR no", 3),
                ("more OR few", 5),
                ("NOT (few more)", 4),
                ("few101 other", 1),
                ("more101 other", 1),
                ("name:(mo qu)", 1),
                ("\"quoted mo\"", 1),
                ("\"few more\"", 0),
                ("\"other few\"", 1),
                ("\"other few100 few10\"", 1),
                ("\"other no\"", 0),
                ("NOT name:\"few quo\"", 4),
                ("few NOT other", 2),
            }
        )
            Assert.Equal((text, expected), (text, (await FindAsync(connection, Read(text))).Count));
    }

    [Theory]
    [InlineData("metadata.a.b = x", "by_metadata")]
    [InlineData("metadata.a.b = -9.50", "by_metadata")]
    [InlineData("metadata.a = null", "by_metadata")]
    [InlineData("metadata.a:true", "by_metadata")]
    [InlineData("metadata.\"odd key\".b:\"x\"", "by_metadata")]
    [InlineData("metadata.a = 1 metadata.b:2 type = book", "by_metadata")]
    [InlineData("faust", "by_words")]
    [InlineData("\"goethe faust\"", "by_words")]
    [InlineData("name:\"goethe faust\" status = (active OR draft)", "by_words")]
    [InlineData("faust OR metadata.a = 1", "by_words")]
    [InlineData("faust OR metadata.b:1", "by_metadata")]
    public async Task Index_serves_equality_and_search(string text, string index)
    {
        await using var connection = await OpenWithoutScansAsync();
        await using var explain = new NpgsqlCommand { Connection = connection };
        explain.CommandText =
            "explain (costs off) select id from resource_views where "
            + FilterSql.Write(Read(text), explain.Parameters);

        var plan = new List<string>();
        await using (var row = await explain.ExecuteReaderAsync(Cancelled))
            while (await row.ReadAsync(Cancelled))
                plan.Add(row.GetString(0));

        Assert.Contains(plan, line => line.Contains($"Bitmap Index Scan on {index}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Largest_filters_run()
    {
        await InsertAsync(new FilterGenerator(1).Resource());
        await using var connection = await database.OpenConnectionAsync(Cancelled);
        static string Times(int count, string text) => string.Concat(Enumerable.Repeat(text, count));
        string path = Times(63, ".a"),
            metacharacters = Times(600, "[(😀");
        string[] filters =
        [
            $"metadata{path}:* metadata{path} = 5 metadata{path}:(a* OR *a OR NOT a*a)",
            $"metadata.a = \"{Times(2_000, "*")}\" OR name = \"{Times(2_000, "*")}\"",
            $"metadata.a = \"{string.Concat(Enumerable.Range(0x4e00, 2_040).Select(c => $"*{(char)c}"))}\"",
            $"metadata.a = \"{Times(1_000, "*é")}\" OR name = \"{Times(1_000, "*é")}\"",
            $"metadata.a = \"a*{metacharacters}\" OR metadata.a < \"{metacharacters}\"",
            string.Join(" OR ", Enumerable.Range(0, 50).Select(i => $"type:(a{i} OR -b*{i})")),
            string.Join(' ', Enumerable.Range(0, 100)),
        ];
        foreach (var text in filters)
            await FindAsync(connection, Read(text));
    }

    static Filter Read(string text)
    {
        var faults = new List<FilterFault>();
        var filter = FilterParser.Parse(text, faults);
        Assert.Empty(faults);
        return filter!;
    }

    /// <summary>
    /// A connection that uses an index wherever possible. JIT is off, as the high cost of scans would trigger it for
    /// each query.
    /// </summary>
    async Task<NpgsqlConnection> OpenWithoutScansAsync()
    {
        var connection = await database.OpenConnectionAsync(Cancelled);
        await using var settings = new NpgsqlCommand("set enable_seqscan = off; set jit = off", connection);
        await settings.ExecuteNonQueryAsync(Cancelled);
        return connection;
    }

    Task FillLexiconAsync() =>
        ExecuteAsync("insert into resource_words select word from ts_stat('select words from resource_views')");

    static async Task<HashSet<Guid>> FindAsync(NpgsqlConnection connection, Filter filter)
    {
        await using var transaction = await connection.BeginTransactionAsync(Cancelled);
        var lexicon = Lexicon.BeginningsIn(filter) is not [] and var beginnings
            ? await Lexicon.ReadAsync(transaction, beginnings, Cancelled)
            : null;
        await using var command = new NpgsqlCommand { Connection = connection };
        command.Parameters.Add(new() { Value = 0L });
        command.CommandText =
            "select id from resource_views where version > $1 and "
            + FilterSql.Write(filter, command.Parameters, lexicon);
        var found = new HashSet<Guid>();
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        while (await row.ReadAsync(Cancelled))
            found.Add(row.GetGuid(0));
        return found;
    }

    async Task InsertAsync(JsonElement resource)
    {
        string? Text(string name) => resource.GetProperty(name).GetString();
        var metadata = JsonText.From(resource.GetProperty("metadata"));
        await ExecuteAsync(
            """
            insert into resource_views values ($1::uuid, $2, $3, $4, $5::jsonb, $6, $7, $8::timestamptz, $9, $10::timestamptz, $11, $12::text::timestamptz, ($13 || ' ' || $14)::tsvector)
            """,
            Text("id"),
            Text("type"),
            Text("name"),
            Text("status"),
            metadata.ToString(),
            Text("owner"),
            resource.GetProperty("version").GetInt64(),
            Text("createdAt"),
            Text("createdBy"),
            Text("updatedAt"),
            Text("updatedBy"),
            Text("deletedAt"),
            SearchVector.OfName(Text("name")!),
            SearchVector.OfMetadata(metadata)
        );
    }

    async Task ExecuteAsync(string sql, params object?[] arguments)
    {
        await using var command = database.CreateCommand(sql);
        foreach (var argument in arguments)
            command.Parameters.Add(new() { Value = argument ?? DBNull.Value });
        await command.ExecuteNonQueryAsync(Cancelled);
    }

    static string Write(Filter filter)
    {
        using var command = new NpgsqlCommand();
        return $"{FilterSql.Write(filter, command.Parameters)} with "
            + $"{string.Join(", ", command.Parameters.Select(parameter => parameter.Value))}";
    }
}
