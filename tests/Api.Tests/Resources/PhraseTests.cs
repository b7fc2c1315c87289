using System.Text.Json;
using Npgsql;

namespace Resources.Api.Tests;

/// <summary>Phrases and accents in searches, over HTTP.</summary>
public sealed class PhraseTests(Backend backend)
{
    readonly string type = $"t{Guid.NewGuid():n}";

    async Task<string> CreateAsync(ApiClient caller, string name, string metadata = "{}")
    {
        var created = await caller.SendAsync(
            "POST",
            "/api/v1/resources",
            $$"""{"name":{{JsonSerializer.Serialize(name)}},"type":"{{type}}","metadata":{{metadata}}}"""
        );
        Assert.True(created.Status is 201, $"{created}");
        return $"/api/v1/resources/{created.Text("/data/id")}";
    }

    async Task<string> FindAsync(ApiClient caller, string parameter, string text)
    {
        var list = await caller.GetAsync(
            $"/api/v1/resources?type={type}&sort=name&{parameter}={Uri.EscapeDataString(text)}"
        );
        Assert.True(list.Status is 200, $"{text}: {list}");
        return string.Concat(
            list.At("/data")!.Value.EnumerateArray().Select(row => row.GetProperty("name").GetString()![0])
        );
    }

    Task PatchAsync(ApiClient caller, string path, string patch) =>
        caller.SendAsync("PATCH", path, patch, "application/merge-patch+json");

    /// <summary>Resources are told apart by the first letters of their names.</summary>
    [Fact]
    public async Task Phrases_and_accents_find_what_they_say()
    {
        await CreateAsync(backend.Admin, "A Johann Wolfgang von Goethe", """{"text":"Café noir, 5 €"}""");
        await CreateAsync(backend.Admin, "B Wolfgang Johann", """{"text":"cafe","more":"noir"}""");
        await CreateAsync(backend.Admin, "C Johann", """{"wolfgang":true,"text":"Wolfgang (Johann) Wolf"}""");
        await CreateAsync(
            backend.Admin,
            "D",
            """{"list":["Johann","Wolfgang","von İzmir"],"deep":{"text":"noir café"}}"""
        );
        foreach (
            var (parameter, text, names) in new[]
            {
                ("q", "cafe", "ABD"),
                ("q", "café", "AD"),
                ("q", "CAFE noir", "ABD"),
                ("q", "izmir", "D"),
                ("q", "i\u0307zmir", "D"),
                ("q", "johann wolf", "ABCD"),
                ("q", "\"johann wolf\"", "AC"),
                ("q", "\"wolf johann\"", ""),
                ("q", "\"wolfgang johann\"", "BC"),
                ("q", "\"wolfgang johann wolf\"", "C"),
                ("q", "\"johann wolfgang goethe\"", ""),
                ("q", "\"cafe noir\"", "A"),
                ("q", "\"café noir\"", "A"),
                ("q", "\"noir cafe\"", "D"),
                ("q", "\"noir 5\"", "A"),
                ("q", "\"johann wolf", "AC"),
                ("q", "noir \"johann wolf", "A"),
                ("q", "noir\"johann wolf\"goethe", "A"),
                ("q", "\"goethe cafe\"", ""),
                ("q", "\"johann wolf\" \"cafe no\"", "A"),
                ("q", "\"wolf\"", "ABCD"),
                ("filter", "\"johann wolf\"", "AC"),
                ("filter", "name:\"johann wolf\"", "A"),
                ("filter", "name:\"wolf johann\"", ""),
                ("filter", "name:(wolf johann)", "AB"),
                ("filter", "name:(\"johann wolf\" OR \"wolfgang joh\")", "AB"),
                ("filter", "NOT \"johann wolf\"", "BD"),
                ("filter", "-name:\"johann wolf\"", "BCD"),
                ("filter", "\"wolfgang johann\" OR \"noir cafe\"", "BCD"),
                ("filter", "NOT (\"johann wolf\" OR \"noir cafe\")", "B"),
                ("filter", "\"johann wolf\" cafe", "A"),
                ("filter", "name:cafe", ""),
            }
        )
            Assert.Equal((text, names), (text, await FindAsync(backend.User, parameter, text)));
    }

    [Fact]
    public async Task Phrase_shows_nothing_out_of_reach()
    {
        await CreateAsync(backend.Admin, "Hidden phrase");
        await CreateAsync(backend.Author, "Mine, a hidden phrase");
        Assert.Equal("HM", await FindAsync(backend.Admin, "q", "\"hidden phrase\""));
        Assert.Equal("M", await FindAsync(backend.Author, "q", "\"hidden phrase\""));
        Assert.Equal("", await FindAsync(backend.Author, "filter", "NOT \"hidden phrase\""));
    }

    [Fact]
    public async Task Phrase_is_found_after_changes_of_name_and_metadata()
    {
        var path = await CreateAsync(backend.Admin, "Old name", """{"a":"old text"}""");
        for (var i = 0; i < 3; i++)
        {
            await PatchAsync(backend.Admin, path, $$"""{"name":"New name of {{i}}"}""");
            Assert.Equal("N", await FindAsync(backend.User, "q", $"\"new name of {i}\" text"));
            await PatchAsync(backend.Admin, path, $$$"""{"metadata":{"a":"another text of {{{i}}} words"}}""");
            Assert.Equal("N", await FindAsync(backend.User, "q", $"\"new name of {i}\" \"text of {i} words\""));
        }
        Assert.Equal("", await FindAsync(backend.User, "q", "\"old text\""));
        Assert.Equal("", await FindAsync(backend.User, "q", "\"2 another\""));
    }

    /// <summary>Nodes of the release before write words without places, whatever the others do.</summary>
    [Fact]
    public async Task Row_without_places_is_found_by_all_words_of_a_phrase()
    {
        var database = await backend.CreateDatabaseAsync();
        await using var server = InProcessServer.Start(database);
        var admin = await new ApiClient(server.Address).LoginAsAdminAsync();
        var path = await CreateAsync(admin, "Wolfgang Johann", """{"text":"noir café"}""");
        await FindAsync(admin, "q", "noir");
        await using (var connection = new NpgsqlConnection(database))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var write = new NpgsqlCommand(
                "update resource_views set words = '''wolfgang'':2A ''johann'':2A ''noir'':1 ''café'':1'",
                connection
            );
            Assert.Equal(1, await write.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
        }
        await FindsAsync("\"johann wolf\" \"café noir\" name:\"johann wolf\"", "W");
        await FindsAsync("\"johann goethe\"", "");
        await FindsAsync("name:\"noir café\"", "");

        await PatchAsync(admin, path, """{"name":"Wolfgang Johann Amadeus"}""");
        await FindsAsync("name:\"johann wolf\"", "");
        await FindsAsync("name:\"wolfgang joh\" \"café noir\"", "W");

        await ReadModel.RebuildAsync(admin);
        await FindsAsync("\"cafe noir\"", "");
        await FindsAsync("\"noir cafe\" \"wolfgang johann\"", "W");

        async Task FindsAsync(string filter, string names) =>
            Assert.Equal((filter, names), (filter, await FindAsync(admin, "filter", filter)));
    }
}
