using System;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading.Tasks;
using Generated;
using Generated.Api.V1.Resources;
using Generated.Models;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Abstractions.Serialization;
using Microsoft.Kiota.Http.HttpClientLibrary;

/// <summary>Uses the client that Kiota makes of the server's OpenAPI document.</summary>
public static class Caller
{
    public static async Task RunAsync(Uri server, string email, string password)
    {
        using var http = new HttpClient();
        using var adapter = new HttpClientRequestAdapter(new AnonymousAuthenticationProvider(), httpClient: http)
        {
            BaseUrl = server.GetLeftPart(UriPartial.Authority),
        };
        var api = new Client(adapter).Api.V1;
        var login = await api.Auth.Login.PostAsync(new() { Email = email, Password = password });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", login!.Data!.AccessToken);

        var type = $"kiota{Guid.NewGuid():n}";
        var ids = new List<Guid>();
        foreach (var price in new[] { 10, 20, 30 })
        {
            var created = await api.Resources.PostAsync(
                new()
                {
                    Name = $"Bicycle {price}",
                    Type = type,
                    Metadata = new() { AdditionalData = { ["price"] = price } },
                },
                request => request.Headers.Add("Idempotency-Key", $"\"{type}-{price}\"")
            );
            Check(created!.Data!.Version is 1 && PriceOf(created.Data.Metadata) == price, "what was created");
            ids.Add(created.Data.Id!.Value);
        }

        var prices = new List<int>();
        string? cursor = null;
        do
        {
            var page = await api.Resources.GetAsync(request =>
            {
                request.QueryParameters.Type = type;
                request.QueryParameters.Sort = "name";
                request.QueryParameters.Limit = 2;
                request.QueryParameters.Cursor = cursor;
                request.QueryParameters.Count = GetCountQueryParameterType.Exact;
            });
            Check(page!.Meta!.Count is 3, "a count");
            prices.AddRange(page.Data!.Select(row => PriceOf(row.Metadata)));
            cursor = page.Meta.Page!.Next;
        } while (cursor is not null);
        Check(prices.SequenceEqual([10, 20, 30]), "every price");

        var some = await api.Resources[ids[0]].GetAsync(request => request.QueryParameters.Fields = "name");
        Check(some!.Data!.Name is "Bicycle 10" && some.Data.Metadata is null, "only the name");

        var change = new ResourceChange { Metadata = new() { AdditionalData = { ["price"] = 11 } } };
        var patched = await api.Resources[ids[0]]
            .PatchAsync(change, request => request.Headers.Add("If-Match", "\"1\""));
        Check(PriceOf(patched!.Data!.Metadata) is 11, "the patched price");
        try
        {
            await api.Resources[ids[0]].PatchAsync(change, request => request.Headers.Add("If-Match", "\"1\""));
            Check(false, "a mismatch");
        }
        catch (Problem e)
        {
            Check(e.ResponseStatusCode is 412 && e.Code is "VERSION_MISMATCH", "the problem");
        }
    }

    static int PriceOf(JsonObject? metadata) =>
        metadata!.AdditionalData["price"] switch
        {
            int number => number,
            long number => (int)number,
            double number => (int)number,
            decimal number => (int)number,
            UntypedNode node => (int)Convert.ToDouble(node.GetValue()),
            var other => throw new InvalidOperationException($"The price is {other}."),
        };

    static void Check(bool holds, string what)
    {
        if (!holds)
            throw new InvalidOperationException($"Not as expected: {what}.");
    }
}
