using System.Net.Http.Headers;
using System.Text.Json;
using Resources.Polls;

namespace Resources.Api.Tests;

/// <summary>
/// A feature that lives in another assembly (tests/Polls) is served, described, authorised, limited and audited like
/// those of the product.
/// </summary>
public sealed class ExtensionTests(Backend backend)
{
    const string Polls = "/api/v1/polls";
    const string Question = """{"question":"Tea or coffee?","choices":["tea","coffee"]}""";

    const string Followers = "/api/v1/admin/followers";
    const string Results = Followers + "/poll_results";

    static readonly TimeSpan Plenty = TimeSpan.FromSeconds(30);

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Feature_of_another_assembly_is_served_and_its_refusals_are_problems()
    {
        await using var server = await StartAsync();
        var admin = await new ApiClient(server.Address).LoginAsAdminAsync();

        var opened = await admin.SendAsync("POST", Polls, Question);
        var poll = opened["Location"]!;
        Assert.Equal((201, "0"), (opened.Status, opened.Text("/data/votes/tea")));
        Assert.Equal(
            "1",
            (await admin.SendAsync("POST", poll + "/votes", """{"choice":"tea"}""")).Text("/data/votes/tea")
        );
        Assert.Equal(
            "1",
            (await admin.SendAsync("POST", poll + "/votes", """{"choice":"tea"}""")).Text("/data/votes/tea")
        );
        Assert.Equal(400, (await admin.SendAsync("POST", poll + "/votes", """{"choice":"milk"}""")).Status);
        Assert.Equal(200, (await admin.SendAsync("POST", poll + "/close")).Status);

        var refused = await admin.SendAsync("POST", poll + "/votes", """{"choice":"coffee"}""");
        Assert.Equal((409, "POLL_CLOSED"), (refused.Status, refused.Code));
        Assert.Equal(404, (await admin.GetAsync($"{Polls}/{Guid.NewGuid()}")).Status);
        Assert.Contains("POLL_CLOSED", (await admin.GetAsync("/problems")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Feature_of_another_assembly_reads_its_options()
    {
        await using var server = await StartAsync(("Polls:MaxChoices", "2"));
        var admin = await new ApiClient(server.Address).LoginAsAdminAsync();

        var refused = await admin.SendAsync("POST", Polls, """{"question":"Which?","choices":["a","b","c"]}""");

        Assert.Equal(["/choices"], refused.Faults);
    }

    [Fact]
    public async Task Endpoints_of_another_assembly_require_their_permissions()
    {
        await using var server = await StartAsync();
        var guest = new ApiClient(server.Address);
        var admin = await guest.LoginAsAdminAsync();
        Assert.Equal(
            201,
            (
                await admin.PostAsync(
                    "/roles",
                    new { name = "voter", permissions = new[] { "poll:read", "poll:vote" } }
                )
            ).Status
        );
        await admin.PostAsync(
            "/users",
            new
            {
                email = "voter@example.org",
                password = "a password of enough length",
                roles = new[] { "voter" },
            }
        );
        var voter = await guest.LoginAsync("voter@example.org", "a password of enough length");
        var poll = (await admin.SendAsync("POST", Polls, Question))["Location"]!;

        Assert.Equal(401, (await guest.GetAsync(poll)).Status);
        Assert.Equal(200, (await voter.GetAsync(poll)).Status);
        Assert.Equal(200, (await voter.SendAsync("POST", poll + "/votes", """{"choice":"tea"}""")).Status);
        Assert.Equal(403, (await voter.SendAsync("POST", Polls, Question)).Status);
        Assert.Equal(
            400,
            (await admin.PostAsync("/roles", new { name = "other", permissions = new[] { "poll:shred" } })).Status
        );
    }

    [Fact]
    public async Task Limit_of_another_assembly_refuses_what_is_above_it()
    {
        await using var server = await StartAsync(("Polls:Votes:Permits", "2"));
        var admin = await new ApiClient(server.Address).LoginAsAdminAsync();
        var poll = (await admin.SendAsync("POST", Polls, Question))["Location"]!;

        var statuses = new List<int>();
        for (var vote = 0; vote < 3; vote++)
            statuses.Add((await admin.SendAsync("POST", poll + "/votes", """{"choice":"tea"}""")).Status);

        Assert.Equal([200, 200, 429], statuses);
        Assert.Equal(200, (await admin.GetAsync(poll)).Status);
    }

    [Fact]
    public async Task Feature_of_another_assembly_is_described_with_its_example_and_tag()
    {
        await using var server = await StartAsync();
        var document = JsonDocument
            .Parse((await new ApiClient(server.Address).GetAsync("/openapi/v1.json")).Body)
            .RootElement;

        var open = document.GetProperty("paths").GetProperty(Polls).GetProperty("post");
        Assert.Equal("polls", open.GetProperty("tags")[0].GetString());
        Assert.Equal(
            "Tea or coffee?",
            open.GetProperty("requestBody")
                .GetProperty("content")
                .GetProperty("application/json")
                .GetProperty("example")
                .GetProperty("question")
                .GetString()
        );
        Assert.Contains("poll:create", open.GetProperty("description").GetString()!, StringComparison.Ordinal);
        Assert.Contains(document.GetProperty("tags").EnumerateArray(), tag =>
            tag.GetProperty("name").GetString() is "polls"
        );
        Assert.Contains(
            "POLL_CLOSED",
            document.GetProperty("components").GetProperty("responses").GetProperty("Conflict").GetRawText(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Events_of_another_assembly_are_audited_and_streamed()
    {
        await using var server = await StartAsync();
        var admin = await new ApiClient(server.Address).LoginAsAdminAsync();
        var poll = (await admin.SendAsync("POST", Polls, Question))["Location"]!;
        using var http = new HttpClient { BaseAddress = server.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", admin.Token);
        using var request = new HttpRequestMessage(HttpMethod.Get, poll + "/changes");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancelled);
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync(Cancelled));
        Assert.Equal("poll.opened", await NextAsync(stream));

        await admin.SendAsync("POST", poll + "/votes", """{"choice":"coffee"}""");

        Assert.Equal("poll.voted", await NextAsync(stream));
        var audit = await admin.GetAsync($"/api/v1/audit?subject={poll.Split('/')[^1]}");
        Assert.Equal(("poll.voted", "poll.opened"), (audit.Text("/data/0/type"), audit.Text("/data/1/type")));
    }

    [Fact]
    public async Task Read_model_of_another_assembly_follows_the_log_and_is_rebuilt()
    {
        await using var server = await StartAsync();
        var admin = await new ApiClient(server.Address).LoginAsAdminAsync();
        await admin.SendAsync("POST", Polls, """{"question":"Which?","choices":["a","b"]}""");
        var poll = (await admin.SendAsync("POST", Polls, Question))["Location"]!;
        await admin.SendAsync("POST", poll + "/votes", """{"choice":"tea"}""");
        await FirstIsAsync(admin, "Tea or coffee? 1");

        Assert.Equal(202, (await admin.SendAsync("POST", Results + "/rebuild")).Status);
        await ResultsAreAsync(admin, follower => follower.GetProperty("generation").GetInt32() is 2);

        await FirstIsAsync(admin, "Tea or coffee? 1");
        Assert.Equal("resource_views", (await admin.GetAsync(Followers)).Text("/data/1/name"));
        Assert.Equal("1", (await admin.GetAsync(Followers)).Text("/data/1/generation"));
    }

    [Theory, InlineData("poll.voted", "[]"), InlineData("poll.exploded", "{}")]
    public async Task Poison_event_stops_only_the_read_model_that_needs_it(string type, string data)
    {
        await using var server = await StartAsync();
        var admin = await new ApiClient(server.Address).LoginAsAdminAsync();
        var victim = (await admin.SendAsync("POST", Polls, Question))["Location"]!.Split('/')[^1];
        await using var database = Npgsql.NpgsqlDataSource.Create(server.ConnectionString);
        await using var poison = database.CreateCommand(
            $"""
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type, user_name)
            values (nextval('mt_events_sequence'), gen_random_uuid(), '{victim}', 2, '{data}', '{type}', clock_timestamp(), 'unknown', 'somebody') returning seq_id::text
            """
        );
        var position = (string)(await poison.ExecuteScalarAsync(Cancelled))!;
        await admin.SendAsync("POST", Polls, """{"question":"Behind it?","choices":["a","b"]}""");
        await ResultsAreAsync(admin, follower =>
            follower.GetProperty("fault") is { ValueKind: JsonValueKind.Object } fault
            && fault.GetProperty("position").GetString() == position
        );

        // The read model of resources has passed the event, and stops for nothing.
        Assert.Equal(201, (await admin.SendAsync("POST", "/api/v1/resources", """{"name":"behind it"}""")).Status);
        Assert.Equal("behind it", (await admin.GetAsync("/api/v1/resources")).Text("/data/0/name"));

        // A rebuild stops at it, too. What it has left behind is not taken for the next one's.
        Assert.Equal(202, (await admin.SendAsync("POST", Results + "/rebuild")).Status);
        await ResultsAreAsync(admin, follower =>
            follower.GetProperty("rebuildFault").ValueKind is JsonValueKind.String
        );

        var skipped = await admin.SendAsync(
            "POST",
            Results + "/skip",
            $$"""{"position":"{{position}}","reason":"a test wrote it"}"""
        );
        Assert.Equal(200, skipped.Status);
        await Eventually.HoldsAsync(
            async () => (await admin.GetAsync(Polls)).ToString().Contains("Behind it?", StringComparison.Ordinal),
            Plenty
        );
        Assert.Equal(202, (await admin.SendAsync("POST", Results + "/rebuild")).Status);
        await ResultsAreAsync(admin, follower => follower.GetProperty("generation").GetInt32() is 3);
        Assert.Equal(2, (await admin.GetAsync(Polls)).At("/data")!.Value.GetArrayLength());
    }

    static Task FirstIsAsync(ApiClient caller, string expected) =>
        Eventually.HoldsAsync(
            async () =>
                await caller.GetAsync(Polls) is var list
                && $"{list.Text("/data/0/question")} {list.Text("/data/0/votes")}" == expected,
            Plenty
        );

    /// <summary>Waits until the follower of the polls is as it should be.</summary>
    static Task ResultsAreAsync(ApiClient operators, Func<JsonElement, bool> condition) =>
        Eventually.HoldsAsync(
            async () =>
                JsonDocument
                    .Parse((await operators.GetAsync(Followers)).Body)
                    .RootElement.GetProperty("data")
                    .EnumerateArray()
                    .Single(follower => follower.GetProperty("name").GetString() is "poll_results")
                    is var results
                && condition(results),
            Plenty
        );

    static async Task<string> NextAsync(StreamReader stream)
    {
        const string Prefix = "event: ";
        while (await stream.ReadLineAsync(Cancelled) is { } line)
            if (line.StartsWith(Prefix, StringComparison.Ordinal))
                return line[Prefix.Length..];
        throw new EndOfStreamException();
    }

    async Task<InProcessServer> StartAsync(params (string Key, string Value)[] options)
    {
        var server = InProcessServer.Start<PollsProgram>(await backend.CreateDatabaseAsync(), options);
        await ApiDocument.LearnOwnAsync(server.Address);
        return server;
    }
}
