using System.Text.Json;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>
/// Every operation of the API description by every kind of caller. An operation without a row fails, and so does a
/// response that differs from the permissions.
/// </summary>
public sealed class PermissionMatrixTests(MatrixWorld world) : IClassFixture<MatrixWorld>
{
    /// <summary>Headers that differ from response to response.</summary>
    static readonly string[] Fleeting = ["X-Request-Id", "Date", "RateLimit", "Content-Length"];

    [Fact]
    public void Every_operation_has_a_row_in_the_permission_matrix() =>
        Assert.Equal(
            world
                .Operations.Select(operation => (operation.Id, operation.By))
                .OrderBy(each => each.Id, StringComparer.Ordinal),
            Row.All.Select(row => (row.Operation, row.By)).OrderBy(each => each.Operation, StringComparer.Ordinal)
        );

    [Fact]
    [Trait("Conformance", "C1")]
    [Trait("Conformance", "C2")]
    [Trait("Conformance", "C5")]
    public async Task Every_operation_responds_to_every_caller_according_to_the_permissions()
    {
        var wrong = new List<string>();
        foreach (var (row, operation) in world.Rows)
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
    [Trait("Conformance", "C2")]
    public async Task Streams_sockets_and_followed_lists_reveal_nothing_to_a_stranger()
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
                await using var stream = await Subscriber.OpenAsync(world.Server.Address, actor.Caller.Token, path);
                foreach (var item in await stream.CatchUpAsync())
                    text.Append(item.Data);
            }
            await using var socket = await Socket.OpenAsync(world.Server.Address, actor.Caller.Token, "after=0");
            foreach (var message in await socket.CatchUpAsync())
                text.Append(message);
            await using var history = await Subscriber.OpenAsync(
                world.Server.Address,
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
    [Trait("Conformance", "C2")]
    public async Task Explanation_is_equal_for_hidden_and_missing_resources()
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
            return IsAbove(row, actor) ? (403, "ABOVE_OWN_RIGHTS") : (row.Status, row.Code);
        return row.Beyond is { } beyond ? (beyond, null) : (404, Row.Missing(row.Of!));
    }

    /// <summary>Whether the caller may send the request but cannot see its target.</summary>
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
            Row.Resource or Row.Keyed or Row.Subscription => actor.Account != world.Owner.Id && !actor.MayAll(row.By),
            Row.Session => actor.Account != world.Owner.Id && !actor.May("session:manage"),
            Row.Key => actor.Account != world.Owner.Id,
            Row.Type when row.By is Row.Anyone => !SeesTypes(actor),
            _ => false,
        };
    }

    /// <summary>Whether the caller sees the target, and its owner may do what the caller may not.</summary>
    bool IsAbove(Row row, Actor actor) =>
        row is { Of: Row.Subscription, By: "subscription:manage" }
        && actor.Account != world.Owner.Id
        && !actor.MayAll("*");

    bool MayKnow(Row row, Actor actor) =>
        actor.Account == world.Owner.Id
        || row.Permission is { } permission && actor.MayAll(permission)
        || row is { Of: Row.Type, By: Row.Anyone } && SeesTypes(actor);

    /// <summary>Whether the caller may read types, or has resources of any type within reach.</summary>
    static bool SeesTypes(Actor actor) =>
        new[]
        {
            "type:read",
            "resource:read",
            "resource:create",
            "resource:update",
            "resource:delete",
            "resource:read_deleted",
        }.Any(actor.May);

    /// <summary>Data of the owner in a response, other than the data that the request itself contained.</summary>
    string? Leak(Answer answer, string about)
    {
        var text = Regex.Replace(answer.ToString(), "\"instance\":\"[^\"]*\"", "");
        return new[] { world.Owner.Id.ToString(), world.Owner.Email, about }.Any(secret =>
            text.Contains(secret, StringComparison.OrdinalIgnoreCase)
        )
            ? text
            : null;
    }

    /// <summary>Differences between the responses for a hidden target and for a missing one.</summary>
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

    /// <summary>The response without the parts that differ from response to response.</summary>
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

    /// <summary>Checks that the requests of other callers have changed nothing.</summary>
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
