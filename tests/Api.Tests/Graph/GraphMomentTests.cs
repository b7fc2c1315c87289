using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>What one operation reads is of one moment, with one statement for each level of references.</summary>
public sealed class GraphMomentTests(Backend backend) : GraphBackend(backend)
{
    readonly string author = FreshName();
    readonly string book = FreshName();

    async Task DeclareAsync()
    {
        Is(await DeclareAsync(Definition(author)), 201);
        Is(
            await DeclareAsync(
                Definition(
                    book,
                    """{"type":"object","properties":{"amount":{"type":"integer"},"author":{"type":"string"},"editor":{"type":"string"}}}""",
                    $$$"""
                    "references":{"/metadata/author":{"type":"{{{author}}}","inverse":"books"},"/metadata/editor":{"type":"{{{author}}}"}}
                    """
                )
            ),
            201
        );
    }

    [Fact]
    public async Task Parts_of_an_answer_agree_with_the_log_at_its_position()
    {
        await DeclareAsync();
        var authors = new[] { await MadeAsync(author, "{}", name: "Ann"), await MadeAsync(author, "{}", name: "Bob") };
        var books = new List<string>();
        for (var i = 0; i < 4; i++)
            books.Add(await MadeAsync(book, $$"""{"amount":100,"author":"{{authors[i % 2]}}"}"""));
        var query = $$$"""
            { past: {{{book}}}s(first: 4) { nodes { id version history(first: 900) { nodes { of: version } } } }
              a: {{{book}}}s(first: 4, sort: [CREATED_AT_ASC]) { totalCount nodes { id version metadata { amount author { name books { nodes { id version } } } } } }
              b: {{{book}}}s(filter: "metadata.amount >= 0") { nodes { id version } }
              authors: {{{author}}}s { nodes { books { nodes { id version } } } } }
            """;
        using var over = new CancellationTokenSource();
        var writing = Enumerable
            .Range(0, 3)
            .Select(seed => WriteAsync(books, authors, new(seed), over.Token))
            .ToArray();
        var answers = new List<Answer>();
        for (var i = 0; i < 150; i++)
            answers.Add(await DataAsync(query));
        await over.CancelAsync();
        await Task.WhenAll(writing);
        var log = await LogAsync();
        Assert.True(log.Length > 200, $"{log.Length} events were written.");
        foreach (var answer in answers)
        {
            var position = long.Parse(answer.Text("/extensions/position")!, CultureInfo.InvariantCulture);
            var expected = log.Where(each => each.Position <= position)
                .GroupBy(each => each.Resource)
                .ToDictionary(of => of.Key, of => of.Max(each => each.Version));
            var shown = Versions(answer.At("/data")!.Value).ToArray();
            Assert.True(shown.Length >= 8, $"{answer}");
            Assert.All(shown, each => Assert.Equal(expected[each.Id], each.Version));
            Assert.All(answer.At("/data/past/nodes")!.Value.EnumerateArray(), node =>
                Assert.Equal(
                    Enumerable.Range(1, Math.Min(900, node.GetProperty("version").GetInt32())),
                    node.GetProperty("history")
                        .GetProperty("nodes")
                        .EnumerateArray()
                        .Select(each => each.GetProperty("of").GetInt32())
                )
            );
        }
    }

    /// <summary>Moves amounts and references until it is told to end.</summary>
    async Task WriteAsync(List<string> books, string[] authors, Random random, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            var patched = await PatchAsync(
                books[random.Next(books.Count)],
                $$$"""{"metadata":{"amount":{{{random.Next(1000)}}},"author":"{{{authors[random.Next(2)]}}}"}}"""
            );
            Assert.True(patched.Status is 200, $"{patched}");
        }
    }

    async Task<(long Position, string Resource, long Version)[]> LogAsync()
    {
        var events = new List<(long, string, long)>();
        for (var after = "0"; ; )
        {
            var page = await Admin.GetAsync($"/api/v1/events?type={book}&limit=1000&after={after}");
            Assert.True(page.Status is 200, $"{after}: {page}");
            foreach (var each in page.At("/data")!.Value.EnumerateArray())
                events.Add(
                    (
                        long.Parse(each.GetProperty("position").GetString()!, CultureInfo.InvariantCulture),
                        each.GetProperty("subject").GetString()!,
                        each.GetProperty("resourceversion").GetInt64()
                    )
                );
            if (page.Text("/meta/page/next") is null or "null")
                return [.. events];
            after = page.Text("/meta/page/next")!;
        }
    }

    /// <summary>Ids and versions of everything in an answer that has both.</summary>
    static IEnumerable<(string Id, long Version)> Versions(JsonElement part)
    {
        if (part.ValueKind is JsonValueKind.Array)
            return part.EnumerateArray().SelectMany(Versions);
        if (part.ValueKind is not JsonValueKind.Object)
            return [];
        var inner = part.EnumerateObject().SelectMany(member => Versions(member.Value));
        return part.TryGetProperty("version", out var version)
            ? inner.Prepend((part.GetProperty("id").GetString()!, version.GetInt64()))
            : inner;
    }

    [Theory]
    [
        InlineData("nodes { id name }", 0),
        InlineData("nodes { id metadata { author { name } } }", 1),
        InlineData("nodes { id metadata { author { name } editor { name } } }", 1),
        InlineData("nodes { id metadata { author { name books { nodes { id } } } } }", 2)
    ]
    public async Task Level_of_references_is_one_statement_whatever_the_page(string selection, int levels)
    {
        await DeclareAsync();
        for (var i = 0; i < 8; i++)
        {
            var (one, other) = (await MadeAsync(author, "{}"), await MadeAsync(author, "{}"));
            await MadeAsync(book, $$"""{"amount":1,"author":"{{one}}","editor":"{{other}}"}""");
        }
        foreach (var first in new[] { 1, 8 })
        {
            await StatementsAsync($"{{ {book}s(first: {first}) {{ {selection} }} }}");
            var statements = await StatementsAsync($"{{ {book}s(first: {first}) {{ {selection} }} }}");
            Assert.True(
                statements.Count(each => each.Contains("resource_views", StringComparison.Ordinal)) == 1 + levels,
                $"{first}: {string.Join("\n", statements)}"
            );
        }
    }

    /// <summary>The statements of an operation that read.</summary>
    async Task<string[]> StatementsAsync(string query)
    {
        var trace = ActivityTraceId.CreateRandom();
        var spans = new ConcurrentBag<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql" or "Microsoft.AspNetCore" or "Resources.GraphQL",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        var answer = await Admin.SendAsync(
            "POST",
            "/api/v1/graphql",
            JsonSerializer.Serialize(new { query }),
            headers: ("traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01")
        );
        Assert.Null(answer.At("/errors"));
        Activity[] Of(string source) => [.. spans.Where(span => span.Source.Name == source && span.TraceId == trace)];
        Assert.True(SpinWait.SpinUntil(() => Of("Microsoft.AspNetCore") is not [], TimeSpan.FromSeconds(10)));
        Assert.Contains(Of("Resources.GraphQL"), span => span.OperationName is "query anonymous");
        return
        [
            .. Of("Npgsql")
                .Select(span => $"{span.GetTagItem("db.query.text") ?? span.GetTagItem("db.statement")}")
                .Where(text => text.Length > 0),
        ];
    }
}
