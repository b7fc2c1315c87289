using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Tasks;
using Generated;

namespace Generated
{
    public partial class Client
    {
        // The server takes null for a value, not for one that is left out.
        static partial void UpdateJsonSerializerSettings(JsonSerializerOptions settings) =>
            settings.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
    }
}

/// <summary>Uses the client that NSwag makes of the server's OpenAPI document.</summary>
public static class Caller
{
    public static async Task RunAsync(Uri server, string email, string password)
    {
        using var http = new HttpClient();
        var client = new Client(http) { BaseUrl = server.ToString() };
        var login = await client.LoginAsync(new() { Email = email, Password = password });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", login.Data.AccessToken);

        var type = $"nswag{Guid.NewGuid():n}";
        var ids = new List<Guid>();
        foreach (var price in new[] { 10, 20, 30 })
        {
            var metadata = new JsonObject { ["price"] = price, ["sizes"] = new[] { 1, 2 } };
            var body = new ResourceCreation
            {
                Name = $"Bicycle {price}",
                Type = type,
                Metadata = metadata,
            };
            var created = await client.CreateResourceAsync($"\"{type}-{price}\"", body);
            Check(created.Data.Version is 1 && PriceOf(created.Data.Metadata) == price, "what was created");
            ids.Add(created.Data.Id);
        }

        var prices = new List<int>();
        string? cursor = null;
        do
        {
            var page = await client.ListResourcesAsync(
                type,
                null,
                null,
                null,
                null,
                "name",
                2,
                cursor,
                null,
                null,
                Count.Exact,
                null,
                null,
                null,
                null,
                null
            );
            Check(page.Meta.Count is 3, "a count");
            prices.AddRange(page.Data.Select(row => PriceOf(row.Metadata)));
            cursor = page.Meta.Page.Next;
        } while (cursor is not null);
        Check(prices.SequenceEqual([10, 20, 30]), "every price");

        var some = await client.GetResourceAsync(ids[0], null, null, "name", null, null);
        Check(some.Data.Name is "Bicycle 10" && some.Data.Metadata is null, "only the name");

        var change = new ResourceChange { Metadata = new JsonObject { ["price"] = 11 } };
        var patched = await client.PatchResourceAsync(ids[0], "\"1\"", null, null, change);
        Check(PriceOf(patched.Data.Metadata) is 11 && patched.Data.Metadata.ContainsKey("sizes"), "the patched price");
        try
        {
            await client.PatchResourceAsync(ids[0], "\"1\"", null, null, change);
            Check(false, "a mismatch");
        }
        catch (ApiException<Problem> e)
        {
            Check(e.StatusCode is 412 && e.Result.Code is "VERSION_MISMATCH", "the problem");
        }
    }

    static int PriceOf(JsonObject metadata) => ((JsonElement)metadata["price"]).GetInt32();

    static void Check(bool holds, string what)
    {
        if (!holds)
            throw new InvalidOperationException($"Not as expected: {what}.");
    }
}
