using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace Resources.Cluster.Tests;

/// <summary>A migration on three nodes, beside clients that know the old form and clients that know the new one.</summary>
[Collection(Processes.Alone)]
public sealed class MigrationLossTests(TestPostgres postgres) : IAsyncLifetime
{
    const int Stored = 1_500;
    const string Type = "article";
    const string Types = "/api/v1/types";
    const string Change = $"{Types}/{Type}/change";

    const string Old = """
        {"name":"article","schema":{"type":"object","additionalProperties":false,"required":["price"],"properties":{"price":{"type":"string"}}}}
        """;

    const string New = """
        {"name":"article","schema":{"type":"object","additionalProperties":false,"required":["unitPrice","currency"],
         "properties":{"unitPrice":{"type":"number"},"currency":{"type":"string"}}},
         "migration":[{"op":"move","from":"/metadata/price","path":"/metadata/unitPrice"},{"op":"convert","path":"/metadata/unitPrice","to":"number"},
          {"op":"default","path":"/metadata/currency","value":"EUR"},{"op":"map","path":"/metadata/currency","values":{"EUR":"eur"}}]}
        """;

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(120);

    readonly string cluster = $"migration-{Guid.NewGuid():n}";
    readonly List<ServerProcess> nodes = [];
    readonly ConcurrentQueue<Written> writes = new();
    readonly ConcurrentBag<string> known = [];
    string database = "";
    string token = "";

    /// <summary>A write that has ended; the status is null where its outcome is unknown.</summary>
    sealed record Written(bool IsOld, long Sent, long Answered, HttpStatusCode? Status, string Body);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        database = await postgres.CreateDatabaseAsync();
        for (var i = 0; i < 3; i++)
            nodes.Add(ServerProcess.Start(database, cluster, options: WebhookReceiver.ServerOptions));
        foreach (var node in nodes)
            await node.ReadyAsync();
        token = await nodes[0].SignInAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in nodes)
            await node.DisposeAsync();
    }

    [Fact]
    public async Task Every_resource_is_migrated_once_beside_writers_of_both_forms_and_killed_nodes()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var client = nodes[2].Client(token, TimeSpan.FromSeconds(90));
        await ExpectAsync(client.PostAsync(Types, Json(Old), Cancelled), HttpStatusCode.Created);
        await ExpectAsync(
            client.PostAsJsonAsync(
                "/api/v1/subscriptions",
                new { name = "migration", delivery = new { kind = "webhook", url = receiver.Url } },
                Cancelled
            ),
            HttpStatusCode.Created
        );
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Stored),
            new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancelled },
            async (n, _) => await WriteAsync(client, isOld: true, null, n)
        );
        Assert.Equal(Stored, known.Count);

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var reader = new StreamReader(token, [.. nodes.Select(node => node.Address).Reverse()]);
        var reading = reader.RunAsync(enough.Token);
        using var request = new HttpRequestMessage(HttpMethod.Put, $"{Types}/{Type}?wait=0") { Content = Json(New) };
        request.Headers.Add("If-Match", "*");
        var old = Enumerable.Range(0, 4).Select(n => RunAsync(isOld: true, n, enough.Token)).ToArray();
        await ExpectAsync(client.SendAsync(request, Cancelled), HttpStatusCode.Accepted);
        await Eventually.HoldsAsync(
            async () => await StateAsync(client) is "migrating",
            Plenty,
            () => $"the migration has begun. {nodes[2].Log}"
        );
        var now = Enumerable.Range(4, 4).Select(n => RunAsync(isOld: false, n, enough.Token)).ToArray();
        await TakenAsync(200);
        await nodes[0].KillAsync();
        await TakenAsync(200);
        await nodes[1].KillAsync();
        await TakenAsync(400);

        Assert.Equal("migrating", await StateAsync(client));
        var closes = Stopwatch.GetTimestamp();
        await ExpectAsync(client.PostAsync($"{Change}/close?wait=60", null, Cancelled), HttpStatusCode.OK);
        var closed = Stopwatch.GetTimestamp();
        await TakenAsync(100, since: closed);
        await enough.CancelAsync();
        await Task.WhenAll([reading, .. old, .. now]);

        Assert.DoesNotContain(writes, write => write.Answered < closes && IsRefused(write));
        Assert.DoesNotContain(writes, write => !write.IsOld && IsRefused(write));
        Assert.All(writes.Where(write => write is { IsOld: true, Status: not null } && write.Sent > closed), write =>
            Assert.True(IsRefused(write), $"{write}")
        );
        Assert.Contains(writes, write => write.IsOld && write.Sent > closed);
        var log = await CheckLogAsync();
        await FollowedAsync(reader, receiver, log);
    }

    static bool IsRefused(Written write) => (int?)write.Status is >= 400 and < 500;

    static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");

    static async Task<JsonElement> ExpectAsync(Task<HttpResponseMessage> sent, HttpStatusCode status)
    {
        using var answer = await sent;
        var body = await answer.Content.ReadAsStringAsync(Cancelled);
        Assert.True(answer.StatusCode == status, $"{answer.StatusCode} {body}");
        return JsonElement.Parse(body);
    }

    static async Task<string?> StateAsync(HttpClient client) =>
        (await ExpectAsync(client.GetAsync(Change, Cancelled), HttpStatusCode.OK))
            .GetProperty("data")
            .GetProperty("state")
            .GetString();

    /// <summary>Waits until so many more writes were taken.</summary>
    async Task TakenAsync(int more, long since = 0)
    {
        int Taken() =>
            writes.Count(write => write.Sent > since && write.Status is HttpStatusCode.OK or HttpStatusCode.Created);
        var target = (since is 0 ? Taken() : 0) + more;
        await Eventually.HoldsAsync(
            () => Taken() >= target,
            Plenty,
            () => $"{more} more writes are taken. {writes.LastOrDefault()} {nodes[2].Log}"
        );
    }

    /// <summary>Creates and replaces until it is stopped, at the next node when one is lost.</summary>
    async Task RunAsync(bool isOld, int seed, CancellationToken ct)
    {
        var random = new Random(seed);
        var clients = nodes.Select(node => node.Client(token)).ToArray();
        for (var (n, at) = (0, seed); !ct.IsCancellationRequested; n++)
        {
            var resource = random.Next(3) is 0 ? null : known.ElementAt(random.Next(Math.Min(known.Count, 500)));
            if (!await WriteAsync(clients[at % clients.Length], isOld, resource, seed * 100_000 + n))
                at++;
        }
        foreach (var client in clients)
            client.Dispose();
    }

    /// <summary>Whether the write was answered.</summary>
    async Task<bool> WriteAsync(HttpClient client, bool isOld, string? resource, int n)
    {
        object metadata = isOld ? new { price = $"{n}" } : new { unitPrice = n, currency = "usd" };
        var sent = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await (
                resource is null
                    ? client.PostAsJsonAsync(
                        "/api/v1/resources",
                        new
                        {
                            type = Type,
                            name = $"{n}",
                            metadata,
                        },
                        Cancelled
                    )
                    : ReplaceAsync(client, resource, new { name = $"{n}", metadata })
            );
            var body = await answer.Content.ReadAsStringAsync(Cancelled);
            if (answer.StatusCode is HttpStatusCode.Created)
                known.Add(JsonElement.Parse(body).GetProperty("data").GetProperty("id").GetString()!);
            var isUnknown = answer.StatusCode >= HttpStatusCode.InternalServerError;
            writes.Enqueue(
                new(isOld, sent, Stopwatch.GetTimestamp(), isUnknown ? null : answer.StatusCode, isUnknown ? "" : body)
            );
            return !isUnknown;
        }
        catch (Exception e)
            when (e is HttpRequestException or TaskCanceledException && !Cancelled.IsCancellationRequested)
        {
            writes.Enqueue(new(isOld, sent, Stopwatch.GetTimestamp(), null, e.Message));
            return false;
        }
    }

    static async Task<HttpResponseMessage> ReplaceAsync(HttpClient client, string resource, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/api/v1/resources/{resource}")
        {
            Content = JsonContent.Create(body),
        };
        request.Headers.Add("If-Match", "*");
        return await client.SendAsync(request, Cancelled);
    }

    /// <summary>Folds the log with code of its own, and returns what happened to resources.</summary>
    async Task<Read[]> CheckLogAsync()
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(
            """
            select seq_id, id, stream_id, version, type, data::text from mt_events
            where type like 'resource.%' or type like 'type.%' order by seq_id
            """
        );
        await using var row = await command.ExecuteReaderAsync(Cancelled);
        var log = new List<Read>();
        var forms = new Dictionary<Guid, (long Version, bool IsNew)>();
        var migrated = new HashSet<Guid>();
        var (begun, closing, over) = (0L, false, false);
        var byWriters = 0;
        while (await row.ReadAsync(Cancelled))
        {
            var (stream, version, kind) = (row.GetGuid(2), row.GetInt64(3), row.GetString(4));
            begun = kind is "type.migration_begun" ? version : begun;
            closing |= kind is "type.migration_closing";
            if (kind is "type.changed" && begun > 0)
            {
                over = true;
                Assert.All(forms.Values, form => Assert.True(form.IsNew));
            }
            if (!kind.StartsWith("resource.", StringComparison.Ordinal))
                continue;
            log.Add(new(row.GetInt64(0), row.GetGuid(1), stream, version));
            var data = JsonElement.Parse(row.GetString(5));
            var metadata = data.GetProperty("metadata");
            var isNew = metadata.TryGetProperty("unitPrice", out var price);
            Assert.Equal(isNew, price.ValueKind is JsonValueKind.Number);
            Assert.Equal(isNew, !metadata.TryGetProperty("price", out _));
            Assert.Equal(isNew, begun > 0 && data.GetProperty("typeVersion").GetInt64() >= begun);
            Assert.True(isNew || !closing, $"{stream} has the old form at version {version}");
            var before = forms.GetValueOrDefault(stream);
            Assert.Equal(before.Version + 1, version);
            Assert.True(isNew || !before.IsNew, $"{stream} has the old form again at version {version}");
            if (kind is "resource.migrated")
                Assert.True(!before.IsNew && isNew && migrated.Add(stream), $"{stream} is migrated again at {version}");
            else if (isNew && !before.IsNew)
                byWriters++;
            forms[stream] = (version, isNew);
        }
        Assert.True(over && migrated.Count >= Stored / 2, $"{migrated.Count} resources were migrated");
        Assert.Equal(forms.Count, migrated.Count + byWriters);
        TestContext.Current.SendDiagnosticMessage(
            $"{forms.Count} resources: {migrated.Count} migrated, {byWriters} written in the new form; {log.Count} events, "
                + $"{writes.Count(write => write.Status is null)} of {writes.Count} writes without an answer"
        );
        return [.. log];
    }

    async Task FollowedAsync(StreamReader reader, WebhookReceiver receiver, Read[] log)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var reading = reader.RunAsync(enough.Token);
        await Eventually.HoldsAsync(
            () => reader.Got is [.., var last] && last.Position >= log[^1].Position,
            Plenty,
            () => $"the stream is at {log[^1].Position}"
        );
        Read[] Called() => [.. receiver.Taken.Select(taken => Read.Of(taken.Event))];
        await Eventually.HoldsAsync(
            () => Called().ToHashSet().IsSupersetOf(log),
            Plenty,
            () => $"the webhook has {Called().Distinct().Count()} of {log.Length} events. {nodes[2].Log}"
        );
        await enough.CancelAsync();
        await reading;
        Assert.Equal(log, reader.Got);
    }
}
