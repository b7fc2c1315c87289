using System.Text;
using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Orders of lists, and pages through them.</summary>
[Trait("Conformance", "C7")]
public sealed class SortTests(Backend backend, SortTests.Forty forty) : IClassFixture<SortTests.Forty>
{
    readonly string type = forty.Type;

    static readonly Dictionary<string, string> Ties = new()
    {
        ["type"] = "-createdAt",
        ["-type"] = "createdAt",
        ["status"] = "-createdAt",
        ["-status"] = "createdAt",
        ["owner"] = "-createdAt",
        ["-owner"] = "createdAt",
    };

    [Theory]
    [
        InlineData(null),
        InlineData("createdAt"),
        InlineData("-createdAt"),
        InlineData("updatedAt"),
        InlineData("-updatedAt"),
        InlineData("name"),
        InlineData("-name"),
        InlineData("status"),
        InlineData("-status")
    ]
    [
        InlineData("owner"),
        InlineData("-owner"),
        InlineData("type"),
        InlineData("-type"),
        InlineData("id"),
        InlineData("-id")
    ]
    [
        InlineData("-createdAt,name"),
        InlineData("createdAt,-status,name"),
        InlineData("-updatedAt,owner,-name,id"),
        InlineData("status,-createdAt"),
        InlineData("-owner,createdAt"),
        InlineData("type,-createdAt,-id"),
        InlineData("name,id"),
        InlineData("-name,-id")
    ]
    public async Task Pages_in_every_order_contain_every_resource_once(string? sort)
    {
        var all = (await PagesAsync("", 200)).ToArray();
        Assert.Equal(34, all.Length);
        foreach (var deleted in new[] { "", "&includeDeleted=true" })
        {
            var expected = Ordered(deleted is "" ? all : [.. await PagesAsync(deleted, 200)], sort).Select(IdOf);
            foreach (var limit in new[] { 3, 7, 40 })
                Assert.Equal(
                    expected,
                    (await PagesAsync((sort is null ? "" : "&sort=" + sort) + deleted, limit)).Select(IdOf)
                );
        }
    }

    [Theory]
    [
        InlineData(""),
        InlineData("name,"),
        InlineData("Name"),
        InlineData("--name"),
        InlineData("metadata.a"),
        InlineData("password"),
        InlineData("name,name"),
        InlineData("name,-name"),
        InlineData("deletedAt"),
        InlineData("name;drop table x")
    ]
    [
        InlineData("createdAt,name,type,status,owner"),
        InlineData("status,name"),
        InlineData("name,-createdAt"),
        InlineData("status,createdAt"),
        InlineData("name,-id"),
        InlineData("type,-createdAt,id"),
        InlineData("id,name")
    ]
    public async Task Unknown_orders_are_refused(string sort)
    {
        var answer = await backend.User.GetAsync("/api/v1/resources?sort=" + Uri.EscapeDataString(sort));
        Assert.Equal((400, "?sort"), (answer.Status, Assert.Single(answer.Faults)));
    }

    [Fact]
    public async Task Cursor_is_bound_to_its_list_and_the_callers_reach()
    {
        var list = $"/api/v1/resources?type={type}&limit=2&sort=name";
        var cursor = (await backend.Admin.GetAsync(list)).Text("/meta/page/next")!;
        Assert.Equal(200, (await backend.Admin.GetAsync($"{list}&cursor={cursor}")).Status);
        Assert.Equal(
            200,
            (
                await backend.User.GetAsync(
                    $"{list}&cursor={cursor}&fields=name&limit=1".Replace("limit=2&", "", StringComparison.Ordinal)
                )
            ).Status
        );
        var tampered = (cursor[0] is 'A' ? 'B' : 'A') + cursor[1..];
        foreach (
            var (caller, other) in new[]
            {
                (backend.Admin, $"/api/v1/resources?type={type}&sort=-name&cursor={cursor}"),
                (backend.Admin, $"/api/v1/resources?sort=name&cursor={cursor}"),
                (backend.Admin, $"/api/v1/resources?type={type}&cursor={cursor}"),
                (backend.Admin, $"{list}&status=active&cursor={cursor}"),
                (backend.Admin, $"{list}&q=a&cursor={cursor}"),
                (backend.Admin, $"{list}&includeDeleted=true&cursor={cursor}"),
                (backend.Author, $"{list}&cursor={cursor}"),
                (backend.Admin, $"{list}&cursor={tampered}"),
                (backend.Admin, $"{list}&cursor={cursor}A"),
                (backend.Admin, $"{list}&cursor="),
            }
        )
        {
            var answer = await caller.GetAsync(other);
            Assert.True(answer.Status is 400 && answer.Faults is ["?cursor"], $"{other}: {answer}");
        }
    }

    async Task<List<JsonElement>> PagesAsync(string parameters, int limit)
    {
        var rows = new List<JsonElement>();
        for (var next = ""; next is not null; )
        {
            var page = await backend.Admin.GetAsync(
                $"/api/v1/resources?type={type}{parameters}&limit={limit}{(next is "" ? "" : "&cursor=" + next)}"
            );
            Assert.True(page.Status is 200, page.ToString());
            rows.AddRange(page.At("/data")!.Value.EnumerateArray().Select(row => row.Clone()));
            next = page.At("/meta/page/next")!.Value.GetString();
        }
        return rows;
    }

    static string IdOf(JsonElement row) => row.GetProperty("id").GetString()!;

    /// <summary>The documented order: by code point, then newest first, then by id.</summary>
    static IEnumerable<JsonElement> Ordered(JsonElement[] rows, string? sort)
    {
        var keys = (sort ?? "-createdAt").Split(',').ToList();
        if (Ties.TryGetValue(keys[^1], out var tie) && !keys.Any(key => key.TrimStart('-') is "createdAt"))
            keys.Add(tie);
        if (!keys.Any(key => key.TrimStart('-') is "id"))
            keys.Add(keys[^1].StartsWith('-') ? "-id" : "id");
        return rows.Order(
            Comparer<JsonElement>.Create(
                (one, other) =>
                {
                    foreach (var key in keys)
                    {
                        var left = one.GetProperty(key.TrimStart('-')).GetString()!;
                        var right = other.GetProperty(key.TrimStart('-')).GetString()!;
                        if (Compare(left, right) is not 0 and var order)
                            return key.StartsWith('-') ? -order : order;
                    }
                    return 0;
                }
            )
        );
    }

    /// <summary>By code point, which is the order of UTF-8.</summary>
    static int Compare(string left, string right) =>
        Encoding.UTF8.GetBytes(left).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(right));

    /// <summary>Forty resources that share few names and statuses, some of them changed later, some deleted.</summary>
    public sealed class Forty(Backend backend) : IAsyncLifetime
    {
        public string Type { get; } = $"t{Guid.NewGuid():n}";

        public async ValueTask InitializeAsync()
        {
            string[] names = ["B", "a", "é", "😀", "\uFB00"],
                statuses = ["active", "draft"];
            for (var i = 0; i < 40; i++)
            {
                var caller = i % 3 is 0 ? backend.Author : backend.Admin;
                var created = await caller.SendAsync(
                    "POST",
                    "/api/v1/resources",
                    JsonSerializer.Serialize(
                        new
                        {
                            name = names[i % 5],
                            type = Type,
                            status = statuses[i % 2],
                        }
                    )
                );
                var path = "/api/v1/resources/" + created.Text("/data/id");
                if (i % 4 is 0)
                    Assert.Equal(
                        200,
                        (
                            await backend.Admin.SendAsync(
                                "PATCH",
                                path,
                                """{"metadata":{"changed":true}}""",
                                "application/merge-patch+json"
                            )
                        ).Status
                    );
                if (i % 7 is 0)
                    Assert.Equal(204, (await backend.Admin.SendAsync("DELETE", path)).Status);
            }
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
