using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>
/// Every operation of the OpenAPI document by every kind of caller (C1, C2, C3, C5, C7, J10): one without a row, or a
/// cell that is not as the permissions say, fails.
/// </summary>
[Collection(MoreNodes.Name)]
public sealed class MatrixTests(MatrixWorld world) : IClassFixture<MatrixWorld>
{
    static readonly string[] NotTheClients =
    [
        "id",
        "owner",
        "ownerId",
        "version",
        "createdAt",
        "createdBy",
        "updatedAt",
        "deletedAt",
        "roles",
        "permissions",
        "isAdmin",
        "tenantId",
        "_etag",
        "emailVerified",
        "disabled",
        "passwordHash",
        "secret",
    ];

    /// <summary>Headers that are each answer's own.</summary>
    static readonly string[] Fleeting = ["X-Request-Id", "Date", "RateLimit", "Content-Length"];

    IEnumerable<(Row Row, Operation Operation)> Rows =>
        Row.All.Join(
            world.Operations,
            row => row.Operation,
            operation => operation.Id,
            (row, operation) => (row, operation)
        );

    [Fact]
    public void Every_operation_has_a_row_that_says_who_may_use_it() =>
        Assert.Equal(
            world
                .Operations.Select(operation => (operation.Id, operation.By))
                .OrderBy(each => each.Id, StringComparer.Ordinal),
            Row.All.Select(row => (row.Operation, row.By)).OrderBy(each => each.Operation, StringComparer.Ordinal)
        );

    [Fact]
    public async Task C1_C2_C5_Every_operation_answers_every_caller_as_the_permissions_say()
    {
        var wrong = new List<string>();
        foreach (var (row, operation) in Rows)
        foreach (var actor in world.Actors)
        {
            var (status, code) = Expected(row, actor);
            var succeeds = (status, code) == (row.Status, row.Code) && !IsBeyond(row, actor);
            var caller =
                succeeds && row.Spends && actor.IsSession
                    ? (await world.EnterAsync(world.Admin.Caller, actor.Role!)).Caller
                    : actor.Caller;
            var about = succeeds ? await world.MakeAsync(row.Of) : world.Shared(row.Of);
            var answer = await MatrixWorld.SendAsync(row, operation, caller, about);
            if ((answer.Status, answer.Code) != (status, code))
                wrong.Add($"{operation.Id} by {actor.Name}: expected {status} {code}, was {answer}");
            if (!MayKnow(row, actor) && Leak(answer, about) is { } leak)
                wrong.Add($"{operation.Id} by {actor.Name} tells of the owner: {leak}");
            if (IsBeyond(row, actor))
                wrong.AddRange(await DifferencesAsync(row, operation, actor, about));
        }
        Assert.True(wrong is [], string.Join("\n\n", wrong));
        await NothingHasHappenedAsync();
    }

    [Fact]
    public async Task C2_Streams_sockets_and_followed_lists_tell_a_stranger_nothing_of_the_owner()
    {
        var id = world.Shared(Row.Resource);
        var secret = world.Owner.Id.ToString();
        foreach (var actor in world.Actors.Where(actor => actor.Role is "author" && actor.May("resource:read")))
        {
            var text = new System.Text.StringBuilder();
            foreach (
                var path in new[]
                {
                    "/api/v1/events?after=0",
                    $"/api/v1/events?after=0&resource={id}",
                    "/api/v1/resources?follow=true",
                }
            )
            {
                await using var stream = await Subscriber.OpenAsync(world.Node.Address, actor.Caller.Token, path);
                foreach (var item in await stream.CatchUpAsync())
                    text.Append(item.Data);
            }
            await using var socket = await Socket.OpenAsync(world.Node.Address, actor.Caller.Token, "after=0");
            foreach (var message in await socket.CatchUpAsync())
                text.Append(message);
            await using var history = await Subscriber.OpenAsync(
                world.Node.Address,
                actor.Caller.Token,
                $"/api/v1/resources/{id}/events"
            );
            var isOwner = actor.Account == world.Owner.Id;
            Assert.Equal(
                (actor.Name, isOwner, isOwner, isOwner ? 200 : 404),
                (
                    actor.Name,
                    text.ToString().Contains(id, StringComparison.Ordinal),
                    text.ToString().Contains(secret, StringComparison.Ordinal),
                    (int)history.Response.StatusCode
                )
            );
        }
    }

    [Fact]
    public async Task C2_An_explanation_tells_of_anothers_resource_what_it_tells_of_none()
    {
        var stranger = world.Actors.Single(actor => actor.Name is "stranger").Caller;
        foreach (var permission in new[] { "resource:read", "resource:update", "resource:delete" })
        {
            var answers = new List<string?>();
            foreach (var id in new[] { world.Shared(Row.Resource), $"{Guid.CreateVersion7()}" })
                answers.Add(
                    (
                        await stranger.SendAsync(
                            "POST",
                            "/api/v1/access/explain",
                            $$"""{"permission":"{{permission}}","resourceId":"{{id}}"}"""
                        )
                    ).Text("/data")
                );
            Assert.Equal(answers[1], answers[0]);
            Assert.Contains("\"allowed\":false", answers[0], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task C3_No_body_takes_a_member_that_is_not_the_clients()
    {
        var wrong = new List<string>();
        foreach (var (row, operation) in Rows.Where(each => each.Row.Body is not null))
        {
            var about = await world.MakeAsync(row.Of);
            foreach (var member in NotTheClients.Except(operation.Members))
            {
                var body = JsonNode.Parse(row.Body!)!.AsObject();
                body[member] =
                    member is "roles" or "permissions" ? new JsonArray("admin")
                    : member is "isAdmin" or "emailVerified" or "disabled" ? true
                    : "1";
                var answer = await MatrixWorld.SendAsync(
                    row,
                    operation,
                    row.By is Row.Open ? world.Actors[0].Caller : world.Admin.Caller,
                    about,
                    body.ToJsonString()
                );
                if (answer.Status is not 400 || !answer.Faults.Contains("/" + member))
                    wrong.Add($"{operation.Id} with {member}: {answer}");
            }
            if (row.Of is Row.Resource)
                Assert.Equal(
                    "1",
                    (await world.OwnerCaller.GetAsync($"/api/v1/resources/{about}")).Text("/data/version")
                );
        }
        var target = $"/api/v1/resources/{await world.MakeAsync(Row.Resource)}";
        foreach (var member in NotTheClients)
        {
            var answer = await world.OwnerCaller.SendAsync(
                "PATCH",
                target,
                $$"""[{"op":"add","path":"/{{member}}","value":"1"}]""",
                "application/json-patch+json"
            );
            if (answer.Status is not (400 or 422))
                wrong.Add($"JSON Patch of {member}: {answer}");
        }
        Assert.Equal("1", (await world.OwnerCaller.GetAsync(target)).Text("/data/version"));
        Assert.True(wrong is [], string.Join("\n\n", wrong));
    }

    [Fact]
    public async Task C7_Parameters_are_those_that_are_named_within_their_bounds()
    {
        var wrong = new List<string>();
        foreach (
            var (row, operation) in Rows.Where(each =>
                each.Operation.Path.StartsWith("/api/v1", StringComparison.Ordinal) && !each.Row.Spends
            )
        )
        {
            var faulty = new List<string> { "passwordHash=1" };
            // A limit that is too large counts as the largest.
            if (operation.Query.Contains("limit"))
                faulty.AddRange(["limit=-1", "limit=0", "limit=abc", "limit=1.5", "limit="]);
            if (operation.Query.Contains("cursor"))
                faulty.AddRange(["cursor=abc", "cursor=AAAA"]);
            if (operation.Query.Contains("after") && row.Code is not "UPGRADE_REQUIRED")
                faulty.AddRange(["after=-1", "after=abc"]);
            if (operation.Query.Contains("sort"))
                faulty.AddRange(["sort=passwordHash", "sort=metadata.password"]);
            if (operation.Query.Contains("fields"))
                faulty.AddRange(["fields=passwordHash"]);
            var caller =
                row.By is Row.Open ? world.Actors[0].Caller
                : row.Of is Row.Key or Row.Session ? world.OwnerCaller
                : world.Admin.Caller;
            foreach (var query in faulty)
            {
                var answer = await MatrixWorld.SendAsync(
                    row,
                    operation,
                    caller,
                    world.Shared(row.Of),
                    query: "?" + query
                );
                if (answer.Status is not 400 || !answer.Faults.Contains("?" + query.Split('=')[0]))
                    wrong.Add($"{operation.Id} ?{query}: {answer}");
            }
        }
        Assert.True(wrong is [], string.Join("\n\n", wrong));
    }

    [Fact]
    public async Task C5_Other_methods_lead_nowhere()
    {
        string[] methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        foreach (
            var path in world
                .Operations.Where(operation => operation.Path.StartsWith("/api/v1", StringComparison.Ordinal))
                .GroupBy(operation => operation.Path)
        )
        {
            var address = MatrixWorld.PathOf(path.First(), MatrixWorld.Absent(null));
            // A fixed word may stand where another pattern has an id.
            var served = world
                .Operations.Where(operation =>
                    Regex.IsMatch(address, $"^{Regex.Replace(operation.Path, @"\{\w+\}", "[^/]+")}$")
                )
                .Select(operation => operation.Method)
                .ToHashSet();
            foreach (var method in methods.Where(method => !served.Contains(method)))
            {
                var answer = await world.Admin.Caller.SendAsync(method, address);
                Assert.True(
                    answer is { Status: 405, Code: "METHOD_NOT_ALLOWED" }
                        && served.Concat(["HEAD", "CONNECT"]).ToHashSet().IsSupersetOf(answer["Allow"]!.Split(", ")),
                    $"{method} {address}: {answer}"
                );
                Assert.Equal(
                    (address, 401),
                    (address, (await world.Actors[0].Caller.SendAsync(method, address)).Status)
                );
            }
        }
        var resource = $"/api/v1/resources/{world.Shared(Row.Resource)}";
        foreach (var header in new[] { "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override" })
        {
            Assert.Equal(200, (await world.OwnerCaller.GetAsync(resource, (header, "DELETE"))).Status);
            Assert.Equal(
                404,
                (
                    await world
                        .Actors.Single(actor => actor.Name is "stranger")
                        .Caller.SendAsync("POST", resource + "/restore", null, headers: (header, "GET"))
                ).Status
            );
        }
        Assert.Equal("1", (await world.OwnerCaller.GetAsync(resource)).Text("/data/version"));
    }

    (int Status, string? Code) Expected(Row row, Actor actor)
    {
        if (row.By is Row.Open)
            return (row.Status, row.Code);
        if (actor.Account is null)
            return (401, "UNAUTHENTICATED");
        if (row.By is Row.OfSession && !actor.IsSession)
            return (403, "SESSION_REQUIRED");
        if (row.Permission is { } permission && !actor.May(permission))
            return (403, "FORBIDDEN");
        if (!IsBeyond(row, actor))
            return (row.Status, row.Code);
        return row.Beyond is { } beyond ? (beyond, null) : (404, Row.Missing(row.Of!));
    }

    /// <summary>Whether the caller may send the request, and what it is about is not there for them.</summary>
    bool IsBeyond(Row row, Actor actor)
    {
        if (
            actor.Account is null
            || row.By is Row.OfSession && !actor.IsSession
            || row.Permission is { } permission && !actor.May(permission)
        )
            return false;
        return row.Of switch
        {
            Row.Resource or Row.Subscription => actor.Account != world.Owner.Id && !actor.MayAll(row.By),
            Row.Session => actor.Account != world.Owner.Id && !actor.May("session:manage"),
            Row.Key => actor.Account != world.Owner.Id,
            _ => false,
        };
    }

    bool MayKnow(Row row, Actor actor) =>
        actor.Account == world.Owner.Id || row.Permission is { } permission && actor.MayAll(permission);

    /// <summary>What of the owner stands in an answer, beside what the request itself named.</summary>
    string? Leak(Answer answer, string about)
    {
        var text = Regex.Replace(answer.ToString(), "\"instance\":\"[^\"]*\"", "");
        return new[] { world.Owner.Id.ToString(), world.Owner.Email, about }.Any(secret =>
            text.Contains(secret, StringComparison.OrdinalIgnoreCase)
        )
            ? text
            : null;
    }

    /// <summary>
    /// What tells something that is beyond reach from something that is not there, whatever is asked of it.
    /// </summary>
    async Task<List<string>> DifferencesAsync(Row row, Operation operation, Actor actor, string about)
    {
        var differences = new List<string>();
        foreach (
            var headers in new (string, string)[][]
            {
                [],
                [("If-None-Match", "\"1\"")],
                [("If-Match", "\"1\"")],
                [("If-Match", "\"7\"")],
                [("If-None-Match", "*")],
                [("Accept", "text/event-stream, application/json")],
                [("Idempotency-Key", "\"a key\"")],
            }
        )
        {
            var one = Told(await MatrixWorld.SendAsync(row, operation, actor.Caller, about, null, "", headers));
            var other = Told(
                await MatrixWorld.SendAsync(row, operation, actor.Caller, MatrixWorld.Absent(row.Of), null, "", headers)
            );
            if (one != other)
                differences.Add(
                    $"{operation.Id} by {actor.Name} with {string.Join(",", headers)}: {one}\nbut for what is not there: {other}"
                );
        }
        return differences;
    }

    /// <summary>All that an answer tells, without what is its own.</summary>
    static string Told(Answer answer) =>
        Regex.Replace(
            Regex.Replace(
                answer.ToString(),
                $"(?:{string.Join('|', Fleeting)}): [^;\n]*(?:;(?:r|t)=[^;\n]*)*",
                "",
                RegexOptions.IgnoreCase
            ),
            "\"(instance|traceId)\":\"[^\"]*\"",
            ""
        );

    /// <summary>What others have tried on has stayed as it was.</summary>
    async Task NothingHasHappenedAsync()
    {
        var resource = await world.OwnerCaller.GetAsync($"/api/v1/resources/{world.Shared(Row.Resource)}");
        Assert.Equal((200, "1"), (resource.Status, resource.Text("/data/version")));
        Assert.Equal(
            "active",
            (await world.OwnerCaller.GetAsync($"/api/v1/subscriptions/{world.Shared(Row.Subscription)}")).Text(
                "/data/state"
            )
        );
        Assert.Contains(
            world.Shared(Row.Session),
            (await world.OwnerCaller.GetAsync("/api/v1/sessions")).ToString(),
            StringComparison.Ordinal
        );
        Assert.Contains(
            world.Shared(Row.Key),
            (await world.OwnerCaller.GetAsync("/api/v1/api-keys")).ToString(),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "false",
            (await world.Admin.Caller.GetAsync($"/api/v1/users/{world.Shared(Row.User)}")).Text("/data/disabled")
        );
        var role = (await world.Admin.Caller.GetAsync("/api/v1/roles"))
            .At("/data")!
            .Value.EnumerateArray()
            .Single(each => each.GetProperty("name").GetString() == world.Shared(Row.Role));
        Assert.Equal("[\"resource:read\"]", JsonSerializer.Serialize(role.GetProperty("permissions")));
    }
}
